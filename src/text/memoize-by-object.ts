/**
 * The same function, working out the answer for an object once and keeping it as long as the object lives. For functions whose
 * answer depends on the object alone, and for objects that never change.
 */
export function memoizeByObject<Key extends object, Answer>(
  answerFor: (key: Key) => Answer,
): (key: Key) => Answer {
  const answers = new WeakMap<Key, { readonly answer: Answer }>();
  return (key) => {
    const known = answers.get(key);
    if (known !== undefined) return known.answer;
    const answer = answerFor(key);
    answers.set(key, { answer });
    return answer;
  };
}
