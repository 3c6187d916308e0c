// A point in which the tests of another parser differ from us.

/** Cases of one corpus that differ from us in one point. */
export interface Disagreement {
  readonly corpus: string;
  /** By the names the corpus uses. */
  readonly cases: readonly string[];
  /** What the input is. */
  readonly says: string;
  /** The result in the corpus. */
  readonly theirs: string;
  /** Our result: an error code, or a description. */
  readonly ours: string;
  /** `stricter`: refused here, accepted there. `different`: anything else. */
  readonly verdict: "stricter" | "different";
  readonly because: string;
  /** The chapter and story that show it, or the file and the name in it. */
  readonly by: string;
}
