/** The lines between the two columns. They repeat what the rows say in words, so readers of screens skip them. */
import { svg } from './dom.js';

/**
 * Draws, and draws anew whenever the columns change their size. Returns what ends that.
 * @param {SVGElement} canvas between the columns and as high as they
 * @param {HTMLElement} left list of the engine's rows
 * @param {HTMLElement} right list of ours
 * @param {import('./moves.js').Row[]} rows ours
 * @param {import('./moves.js').Row[]} engineRows
 * @returns {() => void}
 */
export function drawMoves(canvas, left, right, rows, engineRows) {
  const draw = () => {
    const box = canvas.getBoundingClientRect();
    canvas.replaceChildren();
    if (box.width === 0) return;
    canvas.setAttribute('viewBox', `0 0 ${box.width} ${box.height}`);
    const middle = (/** @type {Element | undefined} */ element) => {
      if (element === undefined) return null;
      const { top, height } = element.getBoundingClientRect();
      return top + height / 2 - box.top;
    };
    const add = (
      /** @type {number} */ from,
      /** @type {number} */ to,
      /** @type {import('./moves.js').Row} */ row,
    ) => {
      const { width } = box;
      const path = svg('path', {
        d: `M 2 ${from} C ${width * 0.45} ${from}, ${width * 0.55} ${to}, ${width - 2} ${to}`,
        class: `line ${row.move}`,
        'data-key': row.hit.key,
      });
      canvas.append(path);
      if (row.move !== 'gone') canvas.append(dot(width - 4, to, row));
      if (row.move !== 'new') canvas.append(dot(4, from, row));
    };
    for (const row of engineRows) {
      const from = middle(left.children[row.rank - 1]);
      if (row.move === 'gone' && from !== null) add(from, box.height, row);
    }
    for (const row of rows) {
      const to = middle(right.children[row.rank - 1]);
      const from = middle(row.other === null ? undefined : left.children[row.other - 1]);
      if (to !== null) add(from ?? box.height, to, from === null ? { ...row, move: 'new' } : row);
    }
  };
  const observer = new ResizeObserver(draw);
  observer.observe(left);
  observer.observe(right);
  draw();
  return () => {
    observer.disconnect();
  };
}

/**
 * @param {number} x
 * @param {number} y
 * @param {import('./moves.js').Row} row
 */
function dot(x, y, row) {
  return svg('circle', { cx: x, cy: y, r: 3.5, class: `dot ${row.move}`, 'data-key': row.hit.key });
}
