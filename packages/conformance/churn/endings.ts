import type { Duplex } from "node:stream";
import type { ByteStream, Io, WebPair } from "@upgrade/core/io";
import { isNodeDuplex } from "../src/scripted-peer.ts";
import type { Stage, Standing } from "./stage.ts";

const A_DAY_MS = 86_400_000;

/** The ways a connection may end, at any moment. */
export const ENDINGS: Readonly<Record<string, (standing: Standing, stage: Stage) => void>> = {
  "by a reset": (_, { peer }) => peer.reset(),
  "by the peer's end of file": (_, { peer }) => void peer.end().catch(() => {}),
  "by abort()": ({ connection }) => connection.abort(),
  "by close()": ({ connection }, { signal }) => void connection.close({ signal }),
  "by its disposal": ({ connection }) => void connection[Symbol.asyncDispose](),
  "by force": ({ connection, parts }, { io }) => {
    if (parts !== undefined) return;
    try {
      connection.intoParts({ force: true });
    } catch (error) {
      // The service was faster.
      if ((error as { code?: unknown }).code !== "ALREADY_TAKEN") throw error;
    }
    discard(io);
  },
  "by a deadline": (_, { clock }) => clock.advance(A_DAY_MS),
};

/** Ends an io we own. */
export function discard(io: Io): void {
  if (isNodeDuplex(io)) {
    (io as Duplex).on("error", () => {}).destroy();
  } else if ("abort" in io) {
    (io as ByteStream).abort(new Error("discarded"));
  } else {
    const { readable, writable } = io as WebPair;
    if (!readable.locked)
      readable
        .getReader()
        .cancel("discarded")
        .catch(() => {});
    if (!writable.locked)
      writable
        .getWriter()
        .abort("discarded")
        .catch(() => {});
  }
}
