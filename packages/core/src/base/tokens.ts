// The characters of tokens, field values and reason phrases.

// RFC 9110 §5.6.2: tchar.
const TCHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const TOKEN = new RegExp(`^${TCHAR}+$`);

// RFC 9110 §5.5: field-vchar, with SP and HTAB only in between; obs-text is opaque but allowed.
const FIELD_VALUE = /^(?:[!-~\x80-\xff]+(?:[\t ]+[!-~\x80-\xff]+)*)?$/;

// RFC 9112 §4: reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ); here it may be empty too.
const REASON = /^[\t -~\x80-\xff]*$/;

// RFC 9110 §7.8: protocol = protocol-name ["/" protocol-version], both tokens.
const PROTOCOL = new RegExp(`^${TCHAR}+(?:/${TCHAR}+)?$`);

/** A token: method, field name, connection option, transfer coding. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** A field value without surrounding white space; empty is allowed. */
export function isFieldValue(text: string): boolean {
  return FIELD_VALUE.test(text);
}

/** A reason phrase; empty is allowed. */
export function isReason(text: string): boolean {
  return REASON.test(text);
}

/** One member of an Upgrade list: `websocket`, `IRC/6.9`. */
export function isProtocol(text: string): boolean {
  return PROTOCOL.test(text);
}

/** The members of a list of tokens, verbatim; empty ones are skipped (RFC 9110 §5.6.1.2). */
export function listMembers(value: string): string[] {
  const members: string[] = [];
  // Nearly every list has one member.
  for (const part of value.includes(",") ? value.split(",") : [value]) {
    const member = trimWhiteSpace(part);
    if (member !== "") members.push(member);
  }
  return members;
}

/** OWS is only SP and HTAB (RFC 9110 §5.6.3); `String.prototype.trim` would remove NBSP too. */
export function trimWhiteSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** SP or HTAB. */
export function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Whether `text` has `name` at `at`, ignoring case (RFC 9110 §5.1). */
export function isSameName(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = text.charCodeAt(at + i);
    const wanted = name.charCodeAt(i);
    if (code !== wanted && lowerCase(code) !== lowerCase(wanted)) return false;
  }
  return true;
}

function lowerCase(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}

// RFC 9110 §5.6.2, as a flag for each octet.
const TOKEN_OCTETS = Uint8Array.from({ length: 256 }, (_, octet) =>
  TOKEN.test(String.fromCharCode(octet)) ? 1 : 0,
);

/** An octet of a token. */
export function isTokenOctet(octet: number): boolean {
  return TOKEN_OCTETS[octet] === 1;
}

/** HTAB, SP, VCHAR and obs-text: every octet but the other controls. */
export function isTextOctet(octet: number): boolean {
  return octet === 0x09 || (octet >= 0x20 && octet <= 0xff && octet !== 0x7f);
}

/** Names an octet that is not allowed, or a character that is not an octet, for an error. */
export function octetName(code: number): string {
  const hex = code.toString(16);
  return code < 0x100
    ? `the octet 0x${hex.padStart(2, "0")}`
    : `the character U+${hex.padStart(4, "0")}`;
}

/**
 * Names the first character of `text` that is not allowed, and its position. An error gives this
 * and not the text, which may be a secret. Undefined if every character is allowed.
 */
export function illegalIn(text: string, isAllowed: (octet: number) => boolean): string | undefined {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isAllowed(code)) return `${octetName(code)} at ${i}`;
  }
  return undefined;
}

/** What is wrong with a text that is not a token. */
export function faultOfToken(text: string): string {
  return text === "" ? "is empty" : `has ${illegalIn(text, isTokenOctet)!}`;
}

/** What is wrong with a text that is not a field value. */
export function faultOfValue(text: string): string {
  const illegal = illegalIn(text, isTextOctet);
  return illegal === undefined ? "has white space around it" : `has ${illegal}`;
}
