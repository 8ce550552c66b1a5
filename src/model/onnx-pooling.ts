/** Which values of an encoder's graph belong to a whole text and no longer to each of its tokens. Pure. */
import { attributeOf, integersOf, listAttributeOf, type OnnxGraph, type OnnxNode } from './onnx-graph.js';

/** Values are [batch, token, channel]. */
const TOKEN_AXIS = 1;
const TOKEN_AXES: readonly number[] = [TOKEN_AXIS, TOKEN_AXIS - 3];
const REDUCTIONS = new Set(['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceL2']);
/** What they tell is no number of a token's. */
const SHAPES = new Set(['Shape', 'Size', 'Constant']);

/**
 * The values that come after the pooling: made by reducing the token axis or by taking one token, or of such values
 * alone.
 */
export function valuesAfterPooling(graph: OnnxGraph): ReadonlySet<string> {
  const constant = new Set(['', ...graph.weights.keys()]);
  const pooled = new Set<string>();
  for (const node of graph.nodes) {
    const changing = node.inputs.filter((input) => !constant.has(input));
    if (changing.length === 0 || SHAPES.has(node.operator))
      for (const output of node.outputs) constant.add(output);
    else if (changing.every((input) => pooled.has(input)) || isPooling(graph, node))
      for (const output of node.outputs) pooled.add(output);
  }
  return pooled;
}

function isPooling(graph: OnnxGraph, node: OnnxNode): boolean {
  const integers = (at: number): readonly number[] | null =>
    integersOf(graph.weights.get(node.inputs[at] ?? ''));
  const isTokenAxis = (axes: readonly number[] | null | undefined): boolean =>
    axes?.length === 1 && TOKEN_AXES.includes(axes[0] as number);
  if (REDUCTIONS.has(node.operator)) return isTokenAxis(listAttributeOf(node, 'axes') ?? integers(1));
  if (node.operator === 'Gather')
    return isTokenAxis([attributeOf(node, 'axis') ?? 0]) && integers(1)?.length === 1;
  if (node.operator === 'Slice') {
    const [starts, ends] = [integers(1), integers(2)];
    return isTokenAxis(integers(3)) && starts !== null && ends !== null && ends[0] === (starts[0] ?? 0) + 1;
  }
  return false;
}
