/** One way in which another implementation differs from ours, and why that is correct. */
export interface Explanation {
  readonly peer: "node" | "h11";
  /**
   * Our result: the code we refuse with while the peer accepts; `accepts` if only the peer refuses;
   * `reads` if both accept, with different results; `earlier` and `later` if one of the two waits for
   * more before it refuses; `leaves` if we do not read what the peer refuses. In the last three
   * nothing was read differently.
   */
  readonly ours: string;
  /** What the input looks like, from where we stopped; any input by default. */
  readonly input?: RegExp;
  /** The peer's error; any by default. */
  readonly theirs?: RegExp;
  readonly reason: string;
}

export const EXPLANATIONS: readonly Explanation[] = [
  { peer: "node", ours: "earlier", reason: "our limits apply at the first octet too many; llhttp checks a line end slightly later" },
  { peer: "node", ours: "leaves", reason: "we leave bytes after the last message of a connection, or after a switch, unread; llhttp reads on" },
  { peer: "node", ours: "accepts", theirs: /HPE_STRICT|HPE_INVALID_CHUNK_SIZE/, input: /[\t ]*[;=][\t ]*/, reason: "white space around the `;` and `=` of a chunk extension is in the grammar (RFC 9112 §7.1.1)" },
  { peer: "node", ours: "accepts", theirs: /HPE_INVALID_(?:TRANSFER_ENCODING|CONTENT_LENGTH)/, input: /(?:transfer-encoding|content-length):[^\r]*\t/i, reason: "a tab may follow any value (RFC 9112 §5)" },
  { peer: "node", ours: "accepts", theirs: /HPE_(?:INVALID_TRANSFER_ENCODING|(?:INVALID|UNEXPECTED)_CONTENT_LENGTH)/, input: /^HTTP\//, reason: "a client ignores the framing of a 2xx to CONNECT (RFC 9112 §6.3)" },
  { peer: "node", ours: "later", theirs: /HPE_STRICT|HPE_INVALID_CHUNK_SIZE/, input: /[\t ]*[;=][\t ]*/, reason: "white space around the `;` and `=` of a chunk extension is in the grammar (RFC 9112 §7.1.1)" },
  { peer: "node", ours: "reads", input: /transfer-encoding:[^\r]*\t\r/i, reason: "a tab may follow any value (RFC 9112 §5); llhttp treats such a chunked body as close-delimited" },
  { peer: "node", ours: "later", theirs: /HPE_INVALID_(?:TRANSFER_ENCODING|CONTENT_LENGTH)/, reason: "we judge two framings in one head once it is complete" },
  { peer: "node", ours: "accepts", theirs: /HPE_CLOSED_CONNECTION/, input: /HTTP\/1\.[01] 1/, reason: "an interim response does not end the connection, whatever its fields" },
  { peer: "node", ours: "later", theirs: /HPE_CLOSED_CONNECTION/, input: /HTTP\/1\.[01] 1/, reason: "an interim response does not end the connection, whatever its fields" },
  { peer: "node", ours: "accepts", theirs: /HPE_INVALID_(?:TRANSFER_ENCODING|CONTENT_LENGTH)|UNEXPECTED_CONTENT_LENGTH/, input: /\r\n0+\r\n[\s\S]*(?:content-length|transfer-encoding):/i, reason: "a trailer frames nothing; llhttp checks it as if it did" },
  { peer: "node", ours: "accepts", input: /keep-alive[\s\S]*close|close[\s\S]*keep-alive/i, reason: "`close` wins over `keep-alive` in one head (RFC 9112 §9.3); llhttp reads on" },
  { peer: "node", ours: "reads", input: /keep-alive[\s\S]*close|close[\s\S]*keep-alive/i, reason: "`close` wins over `keep-alive` in one head (RFC 9112 §9.3); llhttp reads on" },
  { peer: "node", ours: "reads", input: /HTTP\/1\.1\r\n[\s\S]*upgrade:/i, reason: "the body of a request that proposes a switch is HTTP to its last octet; node:http hands it to the new protocol" },
  { peer: "node", ours: "reads", input: /HTTP\/1\.0[\s\S]*upgrade/i, reason: "an Upgrade in HTTP/1.0 is ignored (RFC 9110 §7.8); llhttp switches" },
  { peer: "node", ours: "later", theirs: /HPE_STRICT/, input: /\r[^\n]/, reason: "llhttp refuses a CR at the octet after it; we refuse it once the line is complete" },
  { peer: "node", ours: "later", theirs: /METHOD|CONSTANT/, reason: "llhttp refuses at the first octet that matches no method; we read to the end of the line, to answer 501 or 400" },
  { peer: "node", ours: "later", theirs: /HPE_INVALID_URL/, reason: "llhttp refuses a target at its first bad octet; we judge it at the end of its line" },
  { peer: "node", ours: "BAD_HOST", reason: "the parser leaves Host to node:http, which only checks that there is one" },
  { peer: "node", ours: "MALFORMED_TARGET", reason: "llhttp accepts any form of target with any method, and octets that are not valid in a URI" },
  { peer: "node", ours: "MALFORMED_START_LINE", reason: "llhttp accepts repeated spaces, leading lone line ends, and control octets in the reason" },
  { peer: "node", ours: "UNSUPPORTED_VERSION", reason: "llhttp accepts HTTP/0.9 and HTTP/2.0 as versions of HTTP/1.1" },
  { peer: "node", ours: "BAD_STATUS", reason: "llhttp accepts any three digits" },
  { peer: "node", ours: "MALFORMED_FIELD", reason: "llhttp skips line ends before the first field" },
  { peer: "node", ours: "BAD_CONTENT_LENGTH", reason: "llhttp counts to 2^64, JavaScript numbers to 2^53" },
  { peer: "node", ours: "BAD_TRANSFER_ENCODING", reason: "other readers frame an empty coding, or a coding in HTTP/1.0, differently" },
  { peer: "node", ours: "UNKNOWN_TRANSFER_CODING", reason: "`gzip, chunked` has valid framing, but we do not decode gzip" },
  { peer: "node", ours: "AMBIGUOUS_FRAMING", reason: "llhttp sees no second framing in an empty Transfer-Encoding" },
  { peer: "node", ours: "TRAILER_WITH_LENGTH", reason: "the parser ignores what Trailer announces" },
  { peer: "node", ours: "CONNECT_WITH_BODY", reason: "the parser switches at once, and the body belongs to the tunnel" },
  { peer: "node", ours: "MALFORMED_CHUNK", reason: "llhttp counts to 2^64, and accepts control octets in extensions" },
  { peer: "node", ours: "MALFORMED_TRAILER", reason: "llhttp skips line ends after the last chunk" },
  { peer: "node", ours: "TOO_MANY_TRAILERS", reason: "the parser has no such limit" },
  { peer: "node", ours: "TOO_MANY_HEADERS", reason: "the limit is node:http's, not the parser's" },
  { peer: "node", ours: "TOO_MANY_INTERIM_RESPONSES", reason: "the parser has no such limit" },
  { peer: "node", ours: "UNKNOWN_EXPECTATION", reason: "node:http also answers 417, but not in the parser" },
  { peer: "node", ours: "UNEXPECTED_DATA", reason: "the parser does not know how many requests were sent" },
  { peer: "node", ours: "UNEXPECTED_SWITCH", reason: "the parser does not know the request" },
  { peer: "node", ours: "BAD_SWITCH", reason: "the parser does not know what was proposed" },
  { peer: "h11", ours: "earlier", reason: "h11 parses a head once it is complete, we as it arrives" },
  { peer: "h11", ours: "later", reason: "h11 refuses an octet that cannot begin a head, we as soon as the line is not empty" },
  { peer: "h11", ours: "leaves", reason: "we leave bytes after the last message of a connection unread; h11 waits for its end" },
  { peer: "h11", ours: "accepts", theirs: /Transfer-Encoding/, reason: "h11 accepts only chunked, even for a close-delimited body, or where the framing is ignored" },
  { peer: "h11", ours: "accepts", theirs: /illegal chunk header/, input: /(?:^|\n)0{20}/, reason: "leading zeros of a chunk size are in the grammar; we count them as extensions, h11 accepts twenty digits" },
  { peer: "h11", ours: "accepts", theirs: /illegal chunk header/, input: /[\t ][;=]|[;=][\t ]/, reason: "white space around the `;` and `=` of a chunk extension is in the grammar (RFC 9112 §7.1.1)" },
  { peer: "h11", ours: "accepts", theirs: /no request line/, input: /(?:^|\r\n\r\n)\r\n/, reason: "empty lines before a request line are ignored (RFC 9112 §2.2)" },
  { peer: "h11", ours: "accepts", theirs: /expecting EOF/, input: /HTTP\/1\.0/, reason: "HTTP/1.0 may say keep-alive (RFC 9112 §9.3); h11 ends the connection anyway" },
  { peer: "h11", ours: "reads", input: /upgrade:/i, reason: "an Upgrade without its connection option, or in HTTP/1.0, proposes nothing (RFC 9110 §7.8); h11 waits for an answer to it" },
  { peer: "h11", ours: "reads", input: /PRI /, reason: "h11 takes the HTTP/2 preface for a request" },
  { peer: "h11", ours: "BAD_HOST", reason: "h11 checks that there is one Host, not its value" },
  { peer: "h11", ours: "MALFORMED_TARGET", reason: "h11 accepts any form of target with any method, and every printable octet" },
  { peer: "h11", ours: "MALFORMED_START_LINE", reason: "h11 accepts a bare LF as a line end" },
  { peer: "h11", ours: "MALFORMED_FIELD", reason: "h11 accepts a bare LF as a line end, and unfolds folded lines" },
  { peer: "h11", ours: "UNSUPPORTED_VERSION", reason: "h11 takes every HTTP/1.x and more for HTTP/1.1" },
  { peer: "h11", ours: "UNKNOWN_METHOD", reason: "h11 accepts any token; llhttp has a list" },
  { peer: "h11", ours: "BAD_STATUS", reason: "h11 accepts any three digits" },
  { peer: "h11", ours: "BAD_CONTENT_LENGTH", reason: "h11 counts beyond JavaScript numbers, and accepts a repeated equal length" },
  { peer: "h11", ours: "BAD_TRANSFER_ENCODING", reason: "other readers frame a coding in HTTP/1.0 differently" },
  { peer: "h11", ours: "AMBIGUOUS_FRAMING", reason: "h11 repairs: Transfer-Encoding wins over Content-Length (allowed by RFC 9112 §6.3 rule 3)" },
  { peer: "h11", ours: "CONNECT_WITH_BODY", reason: "h11 reads the body, which has no meaning" },
  { peer: "h11", ours: "TRAILER_WITH_LENGTH", reason: "h11 ignores what Trailer announces" },
  { peer: "h11", ours: "MALFORMED_CHUNK", reason: "h11 accepts any chunk extension, a bare LF as a line end, and counts to 2^80" },
  { peer: "h11", ours: "MALFORMED_TRAILER", reason: "h11 accepts a bare LF as a line end, and unfolds folded lines" },
  { peer: "h11", ours: "TOO_MANY_TRAILERS", reason: "h11 only has a limit in bytes" },
  { peer: "h11", ours: "TOO_MANY_HEADERS", reason: "h11 only has a limit in bytes" },
  { peer: "h11", ours: "TOO_MANY_INTERIM_RESPONSES", reason: "h11 leaves this to its caller" },
  { peer: "h11", ours: "UNKNOWN_EXPECTATION", reason: "h11 leaves this to its caller" },
  { peer: "h11", ours: "BAD_SWITCH", reason: "h11 leaves the fields of a 101 to its caller" },
];
