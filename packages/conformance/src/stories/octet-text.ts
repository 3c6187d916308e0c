/** Octets as fixtures write them: printable ASCII as it is, the rest escaped. */
export function escaped(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += ESCAPES[octet] ?? escapeOf(octet);
  return text;
}

/** The octets of a fixture's text. One character is one octet. */
export function unescaped(text: string): Uint8Array {
  const latin1 = text.replace(/\\(?:x([0-9a-f]{2})|(.))/gs, (whole, hex: string, char: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const octet = MEANINGS[char];
    if (octet === undefined) throw new Error(`unknown escape ${whole}`);
    return octet;
  });
  return Buffer.from(latin1, "latin1");
}

/**
 * The octets of a block: every line ends in CRLF, unless it ends in a backslash, which joins it to the
 * next line.
 */
export function blockOctets(lines: readonly string[]): Uint8Array {
  return Buffer.concat(
    lines.map((line) => {
      const open = /(?<!\\)(?:\\\\)*\\$/.test(line);
      return unescaped(open ? line.slice(0, -1) : `${line}\\r\\n`);
    }),
  );
}

const MEANINGS: { readonly [char: string]: string } = {
  "r": "\r",
  "n": "\n",
  "t": "\t",
  "\\": "\\",
  '"': '"',
};
const ESCAPES: { readonly [octet: number]: string } = {
  9: "\\t",
  10: "\\n",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

function escapeOf(octet: number): string {
  const printable = octet >= 0x20 && octet < 0x7f;
  return printable ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, "0")}`;
}
