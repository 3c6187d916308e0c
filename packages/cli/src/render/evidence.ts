// facts → [evidence] → report: what was observed, as rows and heads

import type {
  AfterFacts,
  ExchangeFacts,
  Facts,
  Failure,
  FieldLine,
  Returned,
  TlsFacts,
} from "../facts.ts";
import { seconds } from "../judge/wording.ts";

/** One observation. */
export interface Row {
  readonly step: string;
  readonly isGood: boolean;
  readonly text: string;
  readonly ms?: number | undefined;
}

/** A head as it crossed the wire. */
export interface Head {
  readonly title: string;
  readonly mark: ">" | "<";
  readonly lines: readonly string[];
}

const broken = ({ code, message }: Failure): string =>
  message.includes(code) ? message : `${message} (${code})`;

export function rowsOf(facts: Facts): Row[] {
  const { name, dial, proxyTls, proxy, tls, exchange, after, control } = facts;
  const rows: Row[] = [];
  if (name !== undefined) {
    const text = name.failure
      ? broken(name.failure)
      : `${name.host} is ${name.addresses.join(", ")}`;
    rows.push({ step: "name", isGood: name.failure === undefined, text, ms: name.ms });
  }
  if (dial !== undefined) {
    const at = dial.address === undefined || dial.address === dial.to ? "" : ` (${dial.address})`;
    const text = dial.failure ? broken(dial.failure) : `connected to ${dial.to}${at}`;
    rows.push({ step: "TCP", isGood: dial.failure === undefined, text, ms: dial.ms });
  }
  if (proxyTls !== undefined) rows.push(...tlsRows("TLS with proxy", proxyTls));
  if (proxy !== undefined) {
    const isGood = proxy.status !== undefined && proxy.status < 300;
    const text = proxy.failure
      ? broken(proxy.failure)
      : `${proxy.name} answered CONNECT with ${proxy.status}`;
    rows.push({ step: "proxy", isGood, text, ms: proxy.ms });
  }
  if (tls !== undefined) rows.push(...tlsRows("TLS", tls));
  if (exchange !== undefined) rows.push(...exchangeRows(exchange));
  if (after !== undefined) rows.push(...afterRows(after));
  if (control.speaksTls) rows.push(noted("control", "a TLS handshake works on this port"));
  if (control.speaksH2) rows.push(noted("control", "ALPN chooses h2 when it is offered"));
  if (control.withoutBody !== undefined) {
    rows.push(noted("control", `the same request without a body: ${control.withoutBody}`));
  }
  if (control.withoutProposal !== undefined) {
    const { status, isSame } = control.withoutProposal;
    const text = `the same request without an upgrade: ${status}, ${isSame ? "the same answer" : "another answer"}`;
    rows.push(noted("control", text));
  }
  return rows;
}

const noted = (step: string, text: string): Row => ({ step, isGood: true, text });

function tlsRows(step: string, tls: TlsFacts): Row[] {
  const { failure, distrust, version, cipher, alpn, servername, chain, ms } = tls;
  if (failure !== undefined) return [{ step, isGood: false, text: broken(failure), ms }];
  const asked = servername === undefined ? "no server name" : `server name ${servername}`;
  const text = `${version}, ${cipher}, ALPN ${alpn ?? "(none chosen)"}, ${asked}`;
  const rows: Row[] = [{ step, isGood: true, text, ms }];
  for (const { subject, issuer, names, from, to } of chain) {
    const alias = names.length === 0 ? "" : `, for ${names.join(", ")}`;
    rows.push(noted("certificate", `${subject}${alias}; by ${issuer}; ${from} to ${to}`));
  }
  rows.push({
    step: "trust",
    isGood: distrust === undefined,
    text: distrust ? broken(distrust) : "the chain is trusted, and the name fits",
  });
  return rows;
}

const ENDINGS = {
  open: "open",
  ended: "ended by the other side",
  reset: "reset by the other side",
};

function exchangeRows({ answer, isSwitched, failure, ending, request }: ExchangeFacts): Row[] {
  const rows = [noted("request", `${request.bytes} bytes written`)];
  if (answer === undefined) {
    rows.push({
      step: "answer",
      isGood: false,
      text: `none; the connection is ${ENDINGS[ending]}`,
    });
  } else {
    const { status, reason = "", pieces, interim, ms, firstBytes } = answer;
    const before = interim.length === 0 ? "" : `, after ${interim.join(", ")}`;
    const text =
      status === undefined ? `not HTTP/1.1: ${firstBytes}` : `${status} ${reason}`.trim();
    const inPieces = `${pieces} piece${pieces === 1 ? "" : "s"}`;
    rows.push({ step: "answer", isGood: isSwitched, text: `${text}, in ${inPieces}${before}`, ms });
    rows.push(...hopRows(answer.fields));
    if (answer.body !== "") rows.push(noted("body", answer.body));
  }
  if (failure !== undefined) rows.push({ step: "fault", isGood: false, text: broken(failure) });
  return rows;
}

const HOP_FIELDS = new Set(["server", "via", "proxy-status", "x-cache", "cf-ray", "x-served-by"]);

function hopRows(fields: readonly FieldLine[]): Row[] {
  const rows = fields
    .filter(([name]) => HOP_FIELDS.has(name.toLowerCase()))
    .map(([name, value]) => noted("hop", `${name}: ${value}`));
  const isLower = fields.length > 0 && fields.every(([name]) => name === name.toLowerCase());
  if (isLower) rows.push(noted("spelling", "all field names of the answer are in lower case"));
  return rows;
}

const TRIED = { ping: "a ping", echo: "an echo", silence: "silence", close: "the close handshake" };

function afterRows({ earlyBytes, early, idle, halfClose }: AfterFacts): Row[] {
  const rows = [noted("early bytes", `${earlyBytes} came together with the 101`)];
  const row = (step: string, one: Returned, what: string) =>
    rows.push({ step, isGood: one.survived, text: `${what}: ${outcome(one)}`, ms: one.ms });
  if (early !== undefined) row("early bytes", early, `${TRIED[early.by]} at once`);
  if (idle === undefined) rows.push(noted("idle time", "not tried: --idle SECONDS"));
  else row("idle time", idle, `after ${seconds(idle.idleMs)} s of silence`);
  if (halfClose !== undefined) {
    const what = halfClose.by === "close" ? "the close handshake" : "bytes and FIN of ours";
    row(halfClose.by === "close" ? "close" : "half-close", halfClose, what);
  } else if (early?.by === "silence") {
    rows.push(noted("half-close", "not tried: --echo, if the other end sends back what it gets"));
  }
  return rows;
}

function outcome({ survived, by, ending, failure }: Returned): string {
  if (survived) return by === "silence" ? "the connection stays open" : "answered";
  if (failure !== undefined) return broken(failure);
  return ending === "open" ? "no answer" : `the connection was ${ENDINGS[ending]}`;
}

export function headsOf({ proxy, exchange }: Facts): Head[] {
  const heads: Head[] = [];
  const add = (title: string, mark: Head["mark"], head: string | undefined) => {
    if (head) heads.push({ title, mark, lines: head.split(/\r?\n/).filter((line) => line !== "") });
  };
  add("to the proxy", ">", proxy?.request);
  add("from the proxy", "<", proxy?.response);
  add("the request as written", ">", exchange?.request.head);
  add("what came back", "<", exchange?.answer?.head);
  return heads;
}
