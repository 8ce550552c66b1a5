/** Brings writers and faults together: each fault comes while its share of the work is under way. */
export class Pace {
  readonly #total: number;
  readonly #faults: number;
  #begun = 0;
  #faultsDone = 0;
  #waiting: (() => void)[] = [];

  constructor(total: number, faults: number) {
    this.#total = total;
    this.#faults = faults;
  }

  /** Resolves when `count` more may begin: what lies behind the fault after next waits for the next one to be over. */
  async begin(count: number): Promise<void> {
    while (this.#begun >= this.#threshold(this.#faultsDone + 1)) await this.#change();
    this.#begun += count;
    this.#changed();
  }

  /** Resolves when it is the next fault's turn. */
  async turnOfFault(): Promise<void> {
    while (this.#begun < this.#threshold(this.#faultsDone)) await this.#change();
  }

  faultIsOver(): void {
    this.#faultsDone++;
    this.#changed();
  }

  /** How much must have begun before fault number `i`. */
  #threshold(i: number): number {
    return i >= this.#faults ? Infinity : (this.#total * (i + 0.3)) / (this.#faults + 0.3);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}
