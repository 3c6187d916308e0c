/** One way in which another implementation differs from ours, and why that is as it should be. */
export interface Explanation {
  readonly peer: "node" | "h11";
  /**
   * What we say: the code we refuse with and the peer does not; `accepts` where it is the peer that
   * refuses; `reads` where both accept, and not the same; `earlier` and `later` where one of the two
   * waits for more before it refuses, and `leaves` where we do not look at what the peer refuses:
   * in these three nothing was read otherwise.
   */
  readonly ours: string;
  /** What the input looks like, from where we stopped; every input where it is not given. */
  readonly input?: RegExp;
  /** What the peer says to it; anything where it is not given. */
  readonly theirs?: RegExp;
  readonly reason: string;
}

export const EXPLANATIONS: readonly Explanation[] = [
  { peer: "node", ours: "earlier", reason: "our limits are told at the first octet too many, and llhttp looks at a line end a little later" },
  { peer: "node", ours: "leaves", reason: "what stands behind the last message of a connection, or behind a switch, we leave unread; llhttp reads on" },
  { peer: "node", ours: "accepts", theirs: /HPE_STRICT|HPE_INVALID_CHUNK_SIZE/, input: /[\t ]*[;=][\t ]*/, reason: "white space around the `;` and `=` of a chunk extension is in the grammar (RFC 9112 §7.1.1)" },
  { peer: "node", ours: "accepts", theirs: /HPE_INVALID_(?:TRANSFER_ENCODING|CONTENT_LENGTH)/, input: /(?:transfer-encoding|content-length):[^\r]*\t/i, reason: "a tab may stand behind any value (RFC 9112 §5)" },
  { peer: "node", ours: "accepts", theirs: /HPE_(?:INVALID_TRANSFER_ENCODING|(?:INVALID|UNEXPECTED)_CONTENT_LENGTH)/, input: /^HTTP\//, reason: "a client ignores the framing of a 2xx to CONNECT (RFC 9112 §6.3)" },
  { peer: "node", ours: "later", theirs: /HPE_STRICT|HPE_INVALID_CHUNK_SIZE/, input: /[\t ]*[;=][\t ]*/, reason: "white space around the `;` and `=` of a chunk extension is in the grammar (RFC 9112 §7.1.1)" },
  { peer: "node", ours: "reads", input: /transfer-encoding:[^\r]*\t\r/i, reason: "a tab may stand behind any value (RFC 9112 §5); llhttp takes such a chunked body for one that ends with the connection" },
  { peer: "node", ours: "later", theirs: /HPE_INVALID_(?:TRANSFER_ENCODING|CONTENT_LENGTH)/, reason: "whether two framings in one head matter we judge when it is whole" },
  { peer: "node", ours: "accepts", theirs: /HPE_CLOSED_CONNECTION/, input: /HTTP\/1\.[01] 1/, reason: "an interim response does not end the connection, whatever it says" },
  { peer: "node", ours: "later", theirs: /HPE_CLOSED_CONNECTION/, input: /HTTP\/1\.[01] 1/, reason: "an interim response does not end the connection, whatever it says" },
  { peer: "node", ours: "accepts", theirs: /HPE_INVALID_(?:TRANSFER_ENCODING|CONTENT_LENGTH)|UNEXPECTED_CONTENT_LENGTH/, input: /\r\n0+\r\n[\s\S]*(?:content-length|transfer-encoding):/i, reason: "a trailer frames nothing; llhttp judges it as if it did" },
  { peer: "node", ours: "accepts", input: /keep-alive[\s\S]*close|close[\s\S]*keep-alive/i, reason: "of `close` and `keep-alive` in one head `close` counts (RFC 9112 §9.3); llhttp reads on" },
  { peer: "node", ours: "reads", input: /keep-alive[\s\S]*close|close[\s\S]*keep-alive/i, reason: "of `close` and `keep-alive` in one head `close` counts (RFC 9112 §9.3); llhttp reads on" },
  { peer: "node", ours: "reads", input: /HTTP\/1\.1\r\n[\s\S]*upgrade:/i, reason: "a body on a request that proposes a switch is HTTP's to its last octet; node:http gives it away" },
  { peer: "node", ours: "reads", input: /HTTP\/1\.0[\s\S]*upgrade/i, reason: "an Upgrade in HTTP/1.0 is ignored (RFC 9110 §7.8); llhttp switches" },
  { peer: "node", ours: "later", theirs: /HPE_STRICT/, input: /\r[^\n]/, reason: "llhttp refuses a CR at the octet after it; we refuse it when the line is whole" },
  { peer: "node", ours: "later", theirs: /METHOD|CONSTANT/, reason: "llhttp refuses at the first octet that is in none of its methods; we read to the line's end, to answer 501 or 400" },
  { peer: "node", ours: "later", theirs: /HPE_INVALID_URL/, reason: "llhttp refuses a target at its first octet; we judge it whole, when its line has ended" },
  { peer: "node", ours: "BAD_HOST", reason: "the parser leaves Host to node:http, which asks only whether there is one" },
  { peer: "node", ours: "MALFORMED_TARGET", reason: "llhttp takes any form of target with any method, and octets that no URI has" },
  { peer: "node", ours: "MALFORMED_START_LINE", reason: "llhttp passes over several spaces, lone line ends in front, and control octets in the reason" },
  { peer: "node", ours: "UNSUPPORTED_VERSION", reason: "llhttp takes HTTP/0.9 and HTTP/2.0 for versions of HTTP/1.1" },
  { peer: "node", ours: "BAD_STATUS", reason: "llhttp takes any three digits" },
  { peer: "node", ours: "MALFORMED_FIELD", reason: "llhttp passes over line ends in front of the first field" },
  { peer: "node", ours: "BAD_CONTENT_LENGTH", reason: "llhttp counts to 2^64, numbers in JavaScript to 2^53" },
  { peer: "node", ours: "BAD_TRANSFER_ENCODING", reason: "an empty coding and a coding in HTTP/1.0 are framing that somebody else reads otherwise" },
  { peer: "node", ours: "UNKNOWN_TRANSFER_CODING", reason: "`gzip, chunked` could be framed; nobody here can undo the gzip" },
  { peer: "node", ours: "AMBIGUOUS_FRAMING", reason: "llhttp sees no second framing in an empty Transfer-Encoding" },
  { peer: "node", ours: "TRAILER_WITH_LENGTH", reason: "the parser does not ask what Trailer announces" },
  { peer: "node", ours: "CONNECT_WITH_BODY", reason: "the parser switches at once, and the body is the tunnel's" },
  { peer: "node", ours: "MALFORMED_CHUNK", reason: "llhttp counts to 2^64, and takes control octets in extensions" },
  { peer: "node", ours: "MALFORMED_TRAILER", reason: "llhttp passes over line ends behind the last chunk" },
  { peer: "node", ours: "TOO_MANY_TRAILERS", reason: "the parser has no such limit" },
  { peer: "node", ours: "TOO_MANY_HEADERS", reason: "the limit is node:http's, not the parser's" },
  { peer: "node", ours: "TOO_MANY_INTERIM_RESPONSES", reason: "the parser has no such limit" },
  { peer: "node", ours: "UNKNOWN_EXPECTATION", reason: "node:http answers 417 too, but not in the parser" },
  { peer: "node", ours: "UNEXPECTED_DATA", reason: "the parser does not know how many requests were sent" },
  { peer: "node", ours: "UNEXPECTED_SWITCH", reason: "the parser does not know what was asked" },
  { peer: "node", ours: "BAD_SWITCH", reason: "the parser does not know what was offered" },
  { peer: "h11", ours: "earlier", reason: "h11 reads a head when it is whole, we as it comes" },
  { peer: "h11", ours: "later", reason: "h11 refuses an octet that can begin no head, we as soon as the line is no empty one" },
  { peer: "h11", ours: "leaves", reason: "what stands behind the last message of a connection we leave unread; h11 waits for its end" },
  { peer: "h11", ours: "accepts", theirs: /Transfer-Encoding/, reason: "h11 knows chunked alone, also where the end of the connection ends the body, or where nothing is framed" },
  { peer: "h11", ours: "accepts", theirs: /illegal chunk header/, input: /(?:^|\n)0{20}/, reason: "zeros in front of a chunk size are in the grammar; we count them with the extensions, h11 takes twenty digits" },
  { peer: "h11", ours: "accepts", theirs: /illegal chunk header/, input: /[\t ][;=]|[;=][\t ]/, reason: "white space around the `;` and `=` of a chunk extension is in the grammar (RFC 9112 §7.1.1)" },
  { peer: "h11", ours: "accepts", theirs: /no request line/, input: /(?:^|\r\n\r\n)\r\n/, reason: "empty lines before a request line are ignored (RFC 9112 §2.2)" },
  { peer: "h11", ours: "accepts", theirs: /expecting EOF/, input: /HTTP\/1\.0/, reason: "HTTP/1.0 may say keep-alive (RFC 9112 §9.3); h11 ends the connection all the same" },
  { peer: "h11", ours: "reads", input: /upgrade:/i, reason: "an Upgrade without its connection option, or in HTTP/1.0, proposes nothing (RFC 9110 §7.8); h11 waits for an answer to it" },
  { peer: "h11", ours: "reads", input: /PRI /, reason: "HTTP/2 has its own preface, which h11 takes for a request" },
  { peer: "h11", ours: "BAD_HOST", reason: "h11 asks whether there is one Host, not what is in it" },
  { peer: "h11", ours: "MALFORMED_TARGET", reason: "h11 takes any form of target with any method, and every printable octet" },
  { peer: "h11", ours: "MALFORMED_START_LINE", reason: "h11 takes a bare LF for a line end" },
  { peer: "h11", ours: "MALFORMED_FIELD", reason: "h11 takes a bare LF for a line end, and unfolds folded lines" },
  { peer: "h11", ours: "UNSUPPORTED_VERSION", reason: "h11 takes every HTTP/1.x and more for HTTP/1.1" },
  { peer: "h11", ours: "UNKNOWN_METHOD", reason: "h11 takes any token; llhttp has a list" },
  { peer: "h11", ours: "BAD_STATUS", reason: "h11 takes any three digits" },
  { peer: "h11", ours: "BAD_CONTENT_LENGTH", reason: "h11 counts further than numbers in JavaScript, and takes the same length twice" },
  { peer: "h11", ours: "BAD_TRANSFER_ENCODING", reason: "a coding in HTTP/1.0 is framing that somebody else reads otherwise" },
  { peer: "h11", ours: "AMBIGUOUS_FRAMING", reason: "h11 repairs: of two framings Transfer-Encoding counts (RFC 9112 §6.3 rule 3 allows it)" },
  { peer: "h11", ours: "CONNECT_WITH_BODY", reason: "h11 reads the body that has no meaning" },
  { peer: "h11", ours: "TRAILER_WITH_LENGTH", reason: "h11 does not ask what Trailer announces" },
  { peer: "h11", ours: "MALFORMED_CHUNK", reason: "h11 takes anything for a chunk extension, a bare LF for a line end, and counts to 2^80" },
  { peer: "h11", ours: "MALFORMED_TRAILER", reason: "h11 takes a bare LF for a line end, and unfolds folded lines" },
  { peer: "h11", ours: "TOO_MANY_TRAILERS", reason: "h11 has a limit in bytes alone" },
  { peer: "h11", ours: "TOO_MANY_HEADERS", reason: "h11 has a limit in bytes alone" },
  { peer: "h11", ours: "TOO_MANY_INTERIM_RESPONSES", reason: "h11 leaves this to its caller" },
  { peer: "h11", ours: "UNKNOWN_EXPECTATION", reason: "h11 leaves this to its caller" },
  { peer: "h11", ours: "BAD_SWITCH", reason: "h11 leaves to its caller what a 101 must say" },
];
