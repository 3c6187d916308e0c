// bytes → parser → [version] → events

export type Version = "1.0" | "1.1";
