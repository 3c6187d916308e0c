export interface Line {
  readonly sign: string;
  readonly code: string;
  readonly indent: number;
}
export interface Mutation {
  readonly chapter: string;
  readonly law: string | undefined;
  readonly says: string;
  readonly places: readonly {
    readonly within: readonly string[];
    readonly lines: readonly Line[];
  }[];
}
export function readChapter(chapter: string, text: string): Mutation[];
export function isCalled(mutation: Mutation): (word: string) => boolean;
