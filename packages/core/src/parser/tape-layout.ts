// Where the scanner writes its results. This TypeScript is also AssemblyScript: the scanner is
// compiled with this file, so that both sides of the tape share one layout.

/** The method, as an index into the list of methods. */
export const METHOD = 0;
export const TARGET_START = 1;
export const TARGET_END = 2;
/** The x of HTTP/1.x. */
export const MINOR = 3;
export const STATUS = 4;
export const REASON_START = 5;
export const REASON_END = 6;
/** The number of fields. */
export const FIELDS = 7;
/** The options of Connection, and the fields whose presence alone matters: the bits below. */
export const FLAGS = 8;
/** The Content-Length, if the flag KNOWN_LENGTH is set. */
export const LENGTH = 9;
/** The number of fields that control the connection, apart from those that are flags. */
export const STEERING = 10;
/** Two integers each: which control field it is, and its index among the fields. */
export const STEERING_LIST = 11;
export const INTS_PER_STEERING = 2;
/** The scanner leaves a head with more of them to llhttp. */
export const MAX_STEERING = 16;
/** Four offsets each: the start and end of the name, the start and end of the value. */
export const FIELD_LIST = 43;
export const INTS_PER_FIELD = 4;
/** The scanner leaves a head with more fields to llhttp. */
export const MAX_FIELDS = 1024;

/** After the tape come the names to look up, and after those the input. */
export const MAX_NAMES = 64;
export const BYTES_PER_NAME = 32;

// The bits of FLAGS.
export const CLOSE = 1;
export const KEEP_ALIVE = 2;
export const UPGRADE = 4;
export const TE = 8;
export const DATE = 16;
export const TRAILER = 32;
/** There is one Host, and it needs no further check. */
export const PLAIN_HOST = 64;
export const KNOWN_LENGTH = 128;
