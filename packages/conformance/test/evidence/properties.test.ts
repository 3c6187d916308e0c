import { HttpConnection, type Role } from "@upgrade/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  body,
  cuts,
  fields,
  method,
  nearlyHttp,
  piecesOf,
  target,
  token,
  trailers,
} from "../../src/generated/arbitraries.ts";
import { receiveAll } from "../../src/generated/receive-all.ts";
import { Transcript } from "../../src/stories/transcript.ts";

// The seed is fixed; try others by hand, and turn findings into stories.
const runs = (numRuns: number) => ({ seed: 9_112, numRuns });

const role = fc.constantFrom<Role>("client", "server");
const request = fc.constantFrom("GET", "HEAD", "CONNECT", "upgrade");
const limits = fc.constantFrom(
  ...[{}, { maxHeadBytes: 40 }, { maxTargetBytes: 1 }, { maxHeaders: 1 }, { maxBodyBytes: 4 }],
  ...[{ maxChunkExtensionBytes: 2, maxTrailers: 1 }, { maxTrailerBytes: 6 }],
);

/** A connection that waits for input: a server, or a client with two requests sent. */
function listener(who: Role, what: string, bounds: object): Transcript {
  const transcript = new Transcript(who, bounds, true);
  if (who === "server") return transcript;
  const { connection } = transcript;
  const upgrade = what === "upgrade" ? { Connection: "upgrade", Upgrade: "x" } : {};
  const verb = what === "upgrade" ? "GET" : what;
  const where = verb === "CONNECT" ? "a:1" : "/";
  connection.send({
    type: "request",
    method: verb,
    target: where,
    headers: { Host: "a", ...upgrade },
  });
  connection.send({ type: "end-of-message" });
  return transcript;
}

/** Answers requests and continues, as long as there is something to do. */
function serve(transcript: Transcript): void {
  for (;;) {
    const { connection } = transcript;
    const { client, server } = connection.states;
    if (connection.cycleIsOver) {
      transcript.act((open) => open.startNextCycle());
    } else if (
      server === "send-response" &&
      client !== "send-body" &&
      connection.role === "server"
    ) {
      const status = client === "might-switch-protocol" ? 403 : 200;
      transcript.act((open) => open.send({ type: "response", status, bodyLength: 0 }));
      transcript.act((open) => open.send({ type: "end-of-message" }));
    } else {
      return;
    }
  }
}

describe("any input", () => {
  const input = fc.oneof({ weight: 3, arbitrary: nearlyHttp }, fc.uint8Array({ maxLength: 60 }));

  test("results in events or an error, however it is cut, and nothing else is thrown", () => {
    const outcome = (transcript: Transcript, pieces: Uint8Array[], ends: boolean) => {
      for (const piece of pieces) {
        transcript.receive(piece);
        serve(transcript);
      }
      if (ends) transcript.receiveEof();
      return transcript.end();
    };
    fc.assert(
      fc.property(
        role,
        request,
        limits,
        input,
        cuts,
        fc.boolean(),
        (who, what, bounds, ...rest) => {
          const [bytes, places, ends] = rest;
          const whole = outcome(listener(who, what, bounds), [bytes], ends);
          const pieces = piecesOf(bytes, places);
          expect(outcome(listener(who, what, bounds), pieces, ends)).toEqual(whole);
          const single = piecesOf(bytes, [...bytes.keys()]);
          expect(outcome(listener(who, what, bounds), single, ends)).toEqual(whole);
        },
      ),
      runs(4_000),
    );
  });

  test("L1: the bytes that are not HTTP are the complete rest of the input, even after an error", () => {
    fc.assert(
      fc.property(role, request, limits, input, cuts, (who, what, bounds, bytes, places) => {
        const rests = [[bytes], piecesOf(bytes, places)].map((pieces) => {
          const transcript = listener(who, what, bounds);
          for (const piece of pieces) {
            transcript.receive(piece);
            serve(transcript);
          }
          expect(transcript.connection.bufferedBytes).toBeLessThanOrEqual(bytes.length);
          const buffered = transcript.connection.bufferedBytes;
          const rest = transcript.connection.takeReadBuf();
          expect(rest.length).toBe(buffered);
          expect(transcript.connection.bufferedBytes).toBe(0);
          expect(transcript.connection.takeReadBuf().length).toBe(0);
          return rest;
        });
        const [whole, cut] = rests as [Uint8Array, Uint8Array];
        expect([...whole]).toEqual([...bytes.subarray(bytes.length - whole.length)]);
        expect([...cut]).toEqual([...whole]);
      }),
      runs(2_000),
    );
  });
});

const framing = fc.constantFrom("length", "chunked");

describe("what is sent is what is received", () => {
  test("requests", () => {
    fc.assert(
      fc.property(
        method,
        target,
        fields,
        body,
        framing,
        trailers,
        cuts,
        (verb, where, lines, pieces, how, ends, places) => {
          const client = new HttpConnection("client");
          const length = pieces.reduce((sum, { length }) => sum + length, 0);
          const chunked = how === "chunked";
          const headers: [string, string][] = [["Host", "a.test"], ...lines];
          const wire = Buffer.concat([
            client.send({
              type: "request",
              method: verb,
              target: where,
              headers,
              bodyLength: chunked ? "unknown" : length,
            }),
            ...pieces.map((bytes) => client.send({ type: "data", bytes })),
            client.send({ type: "end-of-message", trailers: chunked ? ends : [] }),
          ]);
          const {
            heads,
            bytes,
            trailers: received,
          } = receiveAll(new HttpConnection("server"), wire, places);
          expect(heads).toMatchObject([{ method: verb, target: where, version: "1.1" }]);
          expect(heads[0]?.headers.toFlat().slice(0, headers.length * 2)).toEqual(headers.flat());
          expect(bytes.equals(Buffer.concat(pieces))).toBe(true);
          expect(received).toEqual(chunked ? ends.flat() : []);
        },
      ),
      runs(1_500),
    );
  });

  test("responses, to GET and to HEAD", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("GET", "HEAD"),
        fc
          .integer({ min: 200, max: 599 })
          .filter((status) => ![204, 205, 304, 426].includes(status)),
        fields,
        body,
        framing,
        cuts,
        (verb, status, lines, pieces, how, places) => {
          const client = new HttpConnection("client");
          const server = new HttpConnection("server");
          const request = client.send({
            type: "request",
            method: verb,
            target: "/",
            headers: { Host: "a" },
          });
          client.send({ type: "end-of-message" });
          receiveAll(server, request, places);
          const length = pieces.reduce((sum, { length }) => sum + length, 0);
          const expected = verb === "HEAD" ? [] : pieces;
          const wire = Buffer.concat([
            server.send({
              type: "response",
              status,
              headers: lines,
              bodyLength: how === "chunked" ? "unknown" : length,
            }),
            ...expected.map((bytes) => server.send({ type: "data", bytes })),
            server.send({ type: "end-of-message" }),
          ]);
          const { heads, bytes } = receiveAll(client, wire, places);
          expect(heads).toMatchObject([{ status }]);
          expect(heads[0]?.headers.toFlat().slice(0, lines.length * 2)).toEqual(lines.flat());
          expect(bytes.equals(Buffer.concat(expected))).toBe(true);
          expect(client.cycleIsOver && server.cycleIsOver).toBe(true);
        },
      ),
      runs(1_500),
    );
  });

  test("L1: after a switch, in both directions, every byte arrives once and in order", () => {
    fc.assert(
      fc.property(
        fc.array(token, { minLength: 1, maxLength: 3 }),
        body,
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 60 }),
        cuts,
        (protocols, pieces, early, first, places) => {
          const client = new HttpConnection("client");
          const server = new HttpConnection("server");
          const proposal = Buffer.concat([
            client.send({
              type: "request",
              method: "POST",
              target: "/",
              headers: { Host: "a", Connection: "Upgrade", Upgrade: protocols.join(", ") },
              bodyLength: "unknown",
            }),
            ...pieces.map((bytes) => client.send({ type: "data", bytes })),
            client.send({ type: "end-of-message" }),
            early,
          ]);
          expect(receiveAll(server, proposal, places).wait).toBe("paused");
          const accepted = protocols.at(-1)!.toUpperCase();
          const answer = Buffer.concat([
            server.send({
              type: "response",
              status: 101,
              headers: { Connection: "upgrade", Upgrade: accepted },
            }),
            first,
          ]);
          expect(receiveAll(client, answer, places).wait).toBe("paused");
          expect(client.hasSwitched && server.hasSwitched).toBe(true);
          expect([...server.takeReadBuf()]).toEqual([...early]);
          expect([...client.takeReadBuf()]).toEqual([...first]);
        },
      ),
      runs(1_000),
    );
  });
});
