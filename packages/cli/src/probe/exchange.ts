// a socket → [exchange] → facts, and the parts of a switch: the request and the answer

import type net from "node:net";
import { LocalProtocolError, type Proposable, type SwitchAccepted, upgrade } from "@upgrade/client";
import { websocket } from "@upgrade/websocket";
import type { Ending, ExchangeFacts, Failure } from "../facts.ts";
import { maskHead } from "../mask.ts";
import { UsageError } from "../usage-error.ts";
import { answerIn } from "./answer.ts";
import { failureOf } from "./failure.ts";
import type { Plan } from "./plan.ts";
import { type Piece, Tap } from "./tap.ts";
import { within } from "./within.ts";

export type Switched = SwitchAccepted<Tap>;

const MAX_BODY_BYTES = 64 * 1024;

/**
 * Sends the proposal, and reads the answer to the end of its head; of a refusal, the body too.
 *
 * @throws {UsageError} The request may not be sent; nothing was.
 */
export async function exchange(
  socket: net.Socket,
  plan: Plan,
): Promise<readonly [ExchangeFacts, Switched | undefined]> {
  const { clock, timeoutMs, method, target, authority, headers, body } = plan;
  const began = clock.now();
  const tap = new Tap(socket, clock, plan.transcript);
  let failure: Failure | undefined;
  let switched: Switched | undefined;
  try {
    const result = await upgrade(
      tap,
      {
        method,
        target,
        headers: [["Host", authority], ...headers],
        protocol: protocolsOf(plan),
        body,
      },
      { timeoutMs, clock },
    );
    if (result.switched) {
      switched = result;
    } else {
      // What the beginning of the body says may be the cause; that it does not end is none.
      const read = result.response.body.bytes({ maxBytes: MAX_BODY_BYTES });
      await within(timeoutMs, clock, read).catch(() => {});
      result.connection.abort();
    }
  } catch (error) {
    if (error instanceof LocalProtocolError) throw new UsageError(error.message);
    failure = failureOf(error);
  }
  const facts = factsOf(tap, began, plan);
  if (switched === undefined) tap.destroy();
  return [{ ...facts, isSwitched: switched !== undefined, failure }, switched];
}

function factsOf(tap: Tap, began: number, { clock, showsSecrets }: Plan) {
  const sent = textOf(tap.sent);
  const [head = ""] = sent.split("\r\n\r\n");
  return {
    request: { head: maskHead(head, showsSecrets), bytes: sent.length },
    answer: answerIn(tap.received, began, showsSecrets),
    ending: tap.ending as Ending,
    ms: clock.now() - began,
  };
}

function protocolsOf({ protocols, subprotocols }: Plan): Proposable[] {
  return protocols.map((token) =>
    token.toLowerCase() === "websocket"
      ? websocket({ subprotocols: [...subprotocols], perMessageDeflate: true })
      : token,
  );
}

const textOf = (pieces: readonly Piece[]): string =>
  Buffer.concat(pieces.map(({ bytes }) => bytes)).toString("latin1");
