import { expect, test } from "vitest";
import type { ByteStream } from "../transports/byte-stream.ts";
import { memoryPair } from "../transports/memory-pair.ts";
import { rewind } from "./rewind.ts";

const EARLY = Uint8Array.of(1, 2, 3);
const bare: ByteStream = {
  read: async () => Uint8Array.of(9),
  write: async () => {},
  closeWrite: async () => {},
  abort: () => {},
};

test("with nothing to push back, the io itself is returned", () => {
  const [io] = memoryPair();
  expect(rewind({ io, readBuf: new Uint8Array(0), readEnded: false })).toBe(io);
});

test("a ByteStream without cancelRead and gone is replayed without them", async () => {
  const io = rewind({ io: bare, readBuf: EARLY, readEnded: false });
  expect(io.gone).toBeUndefined();
  expect(await io.read()).toBe(EARLY);
  expect(await io.read()).toEqual(Uint8Array.of(9));
  expect(io.cancelRead).toBeUndefined();
});

test.each([undefined, null, 7, {}, { io: bare }, { io: bare, readBuf: "x" }])(
  "%o is no parts",
  (parts) => {
    expect(() => rewind(parts as never)).toThrow(
      expect.objectContaining({
        code: "INVALID_IO",
        message: expect.stringContaining("its readBuf is not a Uint8Array"),
      }),
    );
  },
);

test("an io with the methods of a Duplex that is not a Duplex cannot be replayed", () => {
  const io = { on() {}, write() {}, pause() {}, removeListener() {}, readableEnded: true };
  expect(() => rewind({ io, readBuf: EARLY, readEnded: true })).toThrow(
    expect.objectContaining({ code: "INVALID_IO" }),
  );
});
