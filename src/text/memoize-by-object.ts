/**
 * Remembers a function's answers for as long as their argument lives. The argument must never change, and the answer
 * must depend on nothing else.
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
