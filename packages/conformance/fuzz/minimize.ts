/**
 * The shortest list of parts for which `fails` is still true: removes halves, then smaller pieces, then
 * single parts, for at most ten seconds.
 */
export function shrink<T>(
  parts: readonly T[],
  fails: (parts: readonly T[]) => boolean,
): readonly T[] {
  let least = parts;
  const ends = performance.now() + 10_000;
  for (let size = Math.ceil(parts.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < least.length && performance.now() < ends; ) {
      const fewer = [...least.slice(0, at), ...least.slice(at + size)];
      if (fails(fewer)) least = fewer;
      else at += size;
    }
  }
  return least;
}
