/**
 * The end that a controller gives to the name of each object that it makes: a hash or random letters of Kubernetes'
 * alphabet, which has no vowels, hexadecimal digits, or a time.
 */
const made = /-(?:[bcdfghjklmnpqrstvwxz2456789]{5,10}|[0-9a-f]{8,}|[0-9]{6,})$/;

/**
 * The part of a name that stays when its workload makes the next object: `web` of the ReplicaSet `web-5d4f9c7b8`, `etl`
 * of the Job `etl-29384756`. A guess, that only shares of Events depend on.
 */
export function workloadName(name: string): string {
  let rest = name;
  while (made.test(rest)) rest = rest.replace(made, "");
  return rest;
}
