/** How long a login has waited for its turn, once or more often: that says nothing about its server. */

export class WaitingTime {
  #waitedMs = 0;
  #sinceMs: number | undefined = performance.now();

  /** Of what is over. */
  get ms(): number {
    return this.#waitedMs;
  }

  get waiting(): boolean {
    return this.#sinceMs !== undefined;
  }

  begin(): void {
    this.#sinceMs ??= performance.now();
  }

  end(): void {
    if (this.#sinceMs !== undefined) this.#waitedMs += performance.now() - this.#sinceMs;
    this.#sinceMs = undefined;
  }
}
