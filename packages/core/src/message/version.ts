// bytes → parser → [version] → events

/** A version of HTTP that a message can be read and sent in. */
export type Version = "1.0" | "1.1";
