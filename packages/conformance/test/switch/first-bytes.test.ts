import { Readable } from "node:stream";
import type { ByteStream } from "@upgrade/core/io";
import type { ServerRequest, ServerResponse, Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { head } from "../../src/messages.ts";
import { turns } from "../../src/turns.ts";

// First bytes are text or bytes. A stream is refused, but released, since it was handed over.

const PROPOSAL = head("GET /", "Connection: Upgrade", "Upgrade: chat");
const CONNECT = head("CONNECT a.test:443").replace("Host: a.test", "Host: a.test:443");

type Request = ServerRequest<ByteStream>;
type Given = { readonly firstBytes: never };

async function served(bytes: string, service: (request: Request, given: Given) => unknown) {
  const firstBytes = new Readable({ read() {} });
  const { peer } = await serve(((request) =>
    service(request, { firstBytes: firstBytes as never })) as Service<ByteStream>);
  await peer.send(bytes);
  await turns();
  return { isReleased: firstBytes.destroyed, written: peer.unread };
}

/** Ignores the rejection of `switchTo()`. */
async function refused(switched: Promise<unknown>): Promise<ServerResponse> {
  await switched.catch(() => {});
  return { status: 204 };
}

describe("a stream given as first bytes is released", () => {
  test.each<[string, string, (request: Request, given: Given) => unknown]>([
    ["by switchTo()", PROPOSAL, (r, given) => refused(r.switchTo("chat", given))],
    ["with an unproposed protocol", PROPOSAL, (r, given) => refused(r.switchTo("irc", given))],
    [
      "with an option that does not exist",
      PROPOSAL,
      (r, given) => refused(r.switchTo("chat", { ...given, first: 1 } as Given)),
    ],
    ["without a proposal", head("GET /"), (r, given) => refused(r.switchTo("chat", given))],
    [
      "after a response",
      PROPOSAL,
      (request, given) => {
        setImmediate(() => void refused(request.switchTo("chat", given)));
        return { status: 204 };
      },
    ],
    ["in a 101", PROPOSAL, (_, given) => ({ status: 101, ...given })],
    ["in a tunnel", CONNECT, (_, given) => ({ status: 200, tunnel: true, ...given })],
    ["in an unintended tunnel", CONNECT, (_, given) => ({ status: 200, ...given })],
    [
      "in a response that is not a switch",
      head("GET /"),
      (_, given) => ({ status: 204, ...given }),
    ],
    ["in a refused response", head("GET /"), (_, given) => ({ status: 99, ...given })],
  ])("%s", async (_, bytes, service) => {
    const { isReleased, written } = await served(bytes, service);
    expect(isReleased).toBe(true);
    expect(written).not.toMatch(/^HTTP\/1\.1 (?:101|200)/);
  });
});

test("first bytes whose getter throws are refused by switchTo() alone", async () => {
  let failure: unknown;
  const { written } = await served(PROPOSAL, async (request) => {
    const options = {
      get firstBytes(): never {
        throw new Error("unreadable");
      },
    };
    await request.switchTo("chat", options).catch((error: unknown) => {
      failure = error;
    });
    return { status: 204 };
  });
  expect(failure).toMatchObject({ message: "unreadable" });
  expect(written).toMatch(/^HTTP\/1\.1 204 /);
});
