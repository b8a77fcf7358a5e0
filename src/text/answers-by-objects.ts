interface Node<Answer> {
  further?: WeakMap<object, Node<Answer>>;
  answer?: Answer;
}

/**
 * Remembers answers by lists of objects, by their identity, each for as long as all objects of its list live. The
 * objects must never change, and an answer must refer to none of them.
 */
export class AnswersByObjects<Answer> {
  readonly #root: Node<Answer> = {};

  get(objects: readonly object[]): Answer | undefined {
    let node: Node<Answer> | undefined = this.#root;
    for (const object of objects) node = node?.further?.get(object);
    return node?.answer;
  }

  set(objects: readonly object[], answer: Answer): void {
    let node = this.#root;
    for (const object of objects) {
      node.further ??= new WeakMap();
      const next: Node<Answer> = node.further.get(object) ?? {};
      node.further.set(object, next);
      node = next;
    }
    node.answer = answer;
  }
}
