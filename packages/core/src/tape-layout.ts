// Where the scanner writes what it finds. Plain TypeScript that is AssemblyScript, too: the scanner
// is compiled with this file, so that both sides of the tape have one layout.

/** The method: its place in the list of methods. */
export const METHOD = 0;
export const TARGET_START = 1;
export const TARGET_END = 2;
/** HTTP/1.x: the x. */
export const MINOR = 3;
export const STATUS = 4;
export const REASON_START = 5;
export const REASON_END = 6;
/** How many fields there are. */
export const FIELDS = 7;
/** Connection's options, and fields of which it matters only that they are there: the bits below. */
export const FLAGS = 8;
/** The Content-Length, if there is one and the flag says that it is known. */
export const LENGTH = 9;
/** How many fields steer the connection, those that are flags apart. */
export const STEERING = 10;
/** Two integers each: which steering field it is, and its place among the fields. */
export const STEERING_LIST = 11;
export const INTS_PER_STEERING = 2;
/** More fields that steer are not for the scanner. */
export const MAX_STEERING = 16;
/** Four offsets each: where the name starts and ends, where the value starts and ends. */
export const FIELD_LIST = 43;
export const INTS_PER_FIELD = 4;
/** A head with more fields is not for the scanner. */
export const MAX_FIELDS = 1024;

/** Names that are asked for lie after the tape, and after these the input. */
export const MAX_NAMES = 64;
export const BYTES_PER_NAME = 32;

// The bits of FLAGS.
export const CLOSE = 1;
export const KEEP_ALIVE = 2;
export const UPGRADE = 4;
export const TE = 8;
export const DATE = 16;
export const TRAILER = 32;
/** One Host, of a form that needs no second look. */
export const PLAIN_HOST = 64;
export const KNOWN_LENGTH = 128;
