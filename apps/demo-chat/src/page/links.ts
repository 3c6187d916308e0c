// text → [links] → log: where the addresses in a message are

export interface Piece {
  readonly text: string;
  /** Undefined for text between addresses. */
  readonly url: string | undefined;
}

// What ends a sentence is no part of an address in it.
const ADDRESS = /https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]}]/giu;

/** Cuts a text into addresses and what is between them. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const [url] = match;
    if (!URL.canParse(url)) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index), url: undefined });
    found.push({ text: url, url });
    from = match.index + url.length;
  }
  if (from < text.length) found.push({ text: text.slice(from), url: undefined });
  return found;
}
