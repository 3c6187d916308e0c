// command line → [usage error] → main: a command line that is wrong, and what to type instead

export class UsageError extends Error {
  override readonly name = "UsageError";
  /** A command line that works. */
  readonly instead: string | undefined;

  constructor(message: string, instead?: string) {
    super(message);
    this.instead = instead;
  }
}
