/** Namespaces in which more happens than can be judged: each is told once, until all that waits is done. */
export class Crowded {
  readonly #namespaces = new Set<string>();
  readonly #onProblem: (message: string) => void;

  constructor(onProblem: (message: string) => void) {
    this.#onProblem = onProblem;
  }

  begin(namespace: string): void {
    if (this.#namespaces.has(namespace)) return;
    this.#namespaces.add(namespace);
    this.#onProblem(
      `pods or ConfigMaps of Namespace ${namespace} change faster than they can be judged: some versions are not; look who changes them`,
    );
  }

  end(namespace: string): void {
    this.#namespaces.delete(namespace);
  }
}
