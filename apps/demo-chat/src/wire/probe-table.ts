// page ↔ [probe table] ↔ server: the refusals that can be asked for

/** A handshake that the server refuses. */
export interface Probe {
  /** What is wrong with it. */
  readonly title: string;
  /** Changes to the headers of a right one; undefined leaves one out. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly path?: string;
}

/** Asked by a client of the server's own: a page cannot send these. */
export const PROBES = {
  "no-connection": { title: "No Connection option", headers: { Connection: undefined } },
  "wrong-version": { title: "Version 8", headers: { "Sec-WebSocket-Version": "8" } },
  "wrong-origin": {
    title: "A page of another site",
    headers: { Origin: "https://elsewhere.example" },
  },
  "wrong-key": { title: "A short key", headers: { "Sec-WebSocket-Key": "c2hvcnQ=" } },
  "wrong-path": { title: "A wrong address", headers: {}, path: "/nothing" },
} as const satisfies Readonly<Record<string, Probe>>;

export type ProbeName = keyof typeof PROBES;

export function isProbe(name: unknown): name is ProbeName {
  return typeof name === "string" && Object.hasOwn(PROBES, name);
}

/** The one that a page can send by itself. */
export const OWN_PROBE = { name: "wrong-subprotocol", title: "A wrong subprotocol" } as const;

/** The query parameter that says which refusal was asked for. */
export const PROBE = "probe";

/** The query parameter that says which page watches the connection. */
export const WIRE = "wire";
