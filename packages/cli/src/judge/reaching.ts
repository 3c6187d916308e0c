// facts → [judge] → verdict, or nothing: name, address, TCP, proxy, TLS

import type { Certificate, DialFacts, Facts, Failure, TlsFacts } from "../facts.ts";
import { type Verdict, verdict } from "../verdicts/verdicts.ts";
import { headFields, placeOf, seconds } from "./wording.ts";

export function judgeReaching(facts: Facts): Verdict | undefined {
  return judgeName(facts) ?? judgeDial(facts) ?? judgeProxy(facts) ?? judgeTls(facts);
}

function judgeName({ name, target }: Facts): Verdict | undefined {
  if (name?.failure === undefined) return undefined;
  const { host, failure } = name;
  if (host !== target.host) {
    const message = `no address for the name ${host} (${failure.code})`;
    return verdict("proxy-unreachable", { proxy: host, message });
  }
  if (failure.code === "ENOTFOUND") return verdict("name-unknown", { host });
  return verdict("name-not-resolved", { host, code: failure.code });
}

/** The verdict on an error of Node about connecting, by its code. */
const DIALING = {
  ECONNREFUSED: "port-refused",
  ENOENT: "no-socket",
  EACCES: "not-allowed",
  EHOSTUNREACH: "no-route",
  ENETUNREACH: "no-route",
  EADDRNOTAVAIL: "no-route",
  ETIMEDOUT: "connect-timeout",
  OPEN_TIMEOUT: "connect-timeout",
  ECONNRESET: "connect-reset",
} as const;

function judgeDial({ dial, target }: Facts): Verdict | undefined {
  if (dial?.failure === undefined) return undefined;
  const place = dial.to;
  const { code, message } = dial.failure;
  const known = Object.hasOwn(DIALING, code) ? DIALING[code as keyof typeof DIALING] : undefined;
  const blanks = { place, code, message, seconds: seconds(target.timeoutMs) };
  const found = verdict(known ?? "connect-failed", blanks);
  if (isFirstHop(dial, target)) return found;
  return verdict("proxy-unreachable", { proxy: place, message: lowered(found.says) });
}

const isFirstHop = ({ to }: DialFacts, target: Facts["target"]): boolean => to === placeOf(target);
const lowered = (text: string): string => `${text[0]!.toLowerCase()}${text.slice(1)}`;

/** The verdict on a refusal of a proxy, by its status. */
const REFUSING = {
  400: "proxy-is-none",
  403: "proxy-forbids",
  404: "proxy-is-none",
  405: "proxy-is-none",
  426: "proxy-is-none",
  501: "proxy-is-none",
  502: "proxy-cannot-reach",
  503: "proxy-cannot-reach",
  504: "proxy-cannot-reach",
} as const;

function judgeProxy({ proxyTls, proxy, target }: Facts): Verdict | undefined {
  const tlsFault = proxyTls?.failure ?? proxyTls?.distrust;
  if (proxyTls !== undefined && tlsFault !== undefined && proxy === undefined) {
    return verdict("proxy-tls", { proxy: proxyTls.to, message: tlsFault.message });
  }
  if (proxy === undefined) return undefined;
  const { name, status, failure, response = "", hasCredentials } = proxy;
  if (failure !== undefined) {
    return verdict("proxy-silent", { proxy: name, message: said(failure, target.timeoutMs) });
  }
  if (status === undefined || (status >= 200 && status <= 299)) return undefined;
  if (status === 407) {
    const [scheme = "no scheme"] = headFields(response, "proxy-authenticate");
    const id = hasCredentials ? "proxy-wrong-credentials" : "proxy-wants-credentials";
    return verdict(id, { proxy: name, scheme: scheme.split(" ")[0]! });
  }
  const known = Object.hasOwn(REFUSING, status)
    ? REFUSING[status as keyof typeof REFUSING]
    : "proxy-refused";
  return verdict(known, { proxy: name, place: placeOf(target), status });
}

function said({ code, message }: Failure, timeoutMs: number): string {
  if (code === "ANSWER_TIMEOUT") return `nothing within ${seconds(timeoutMs)} s`;
  return code === "ECONNRESET" ? "it reset the connection" : message;
}

/** The verdict on a handshake that failed, by the code and the message of OpenSSL. */
const HANDSHAKES = [
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE|HTTP_REQUEST/i, "plain-port"],
  [/NO_APPLICATION_PROTOCOL/i, "h2-only"],
  [/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE/i, "tls-version"],
  [/CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE/i, "tls-client-certificate"],
  [/HANDSHAKE_FAILURE/i, "tls-refused"],
  [/UNRECOGNIZED_NAME/i, "tls-unknown-name"],
  [/STEP_TIMEOUT/, "tls-timeout"],
  [/ECONNRESET|EPIPE/, "tls-closed"],
] as const;

function judgeTls({ tls, target }: Facts): Verdict | undefined {
  if (tls === undefined) return undefined;
  const blanks = {
    place: placeOf(target),
    host: target.host,
    port: target.port,
    seconds: seconds(target.timeoutMs),
    other: withScheme(target, "plain"),
  };
  if (tls.failure !== undefined) {
    const { code, message } = tls.failure;
    const text = `${code} ${message}`.replaceAll(" ", "_");
    const known = HANDSHAKES.find(([pattern]) => pattern.test(text))?.[1] ?? "tls-failed";
    return verdict(known, { ...blanks, message });
  }
  // What comes after it proves that trust was not asked for.
  return tls.distrust === undefined ? undefined : distrusted(tls, blanks);
}

/** The verdict on a certificate that does not prove the host, by the code of Node. */
const DISTRUST = {
  ERR_TLS_CERT_ALTNAME_INVALID: "tls-wrong-name",
  CERT_HAS_EXPIRED: "tls-expired",
  CERT_NOT_YET_VALID: "tls-not-yet-valid",
} as const;

function distrusted(
  { chain, distrust }: TlsFacts,
  blanks: { readonly place: string; readonly host: string },
): Verdict {
  const [leaf] = chain;
  const { code } = distrust!;
  const known = Object.hasOwn(DISTRUST, code)
    ? DISTRUST[code as keyof typeof DISTRUST]
    : "tls-untrusted";
  const bad = faulty(chain, known);
  return verdict(known, {
    ...blanks,
    names: leaf?.names.join(", ") || leaf?.subject || "another name",
    subject: bad?.subject ?? "",
    issuer: chain.at(-1)?.issuer ?? "an unknown authority",
    date: (known === "tls-expired" ? bad?.to : bad?.from) ?? "",
    code,
  });
}

// Any certificate of the chain may be the one that has expired.
function faulty(chain: readonly Certificate[], id: string): Certificate | undefined {
  const sorted = [...chain];
  if (id === "tls-expired") sorted.sort((a, b) => a.to.localeCompare(b.to));
  if (id === "tls-not-yet-valid") sorted.sort((a, b) => b.from.localeCompare(a.from));
  return sorted[0];
}

/** The URL for the same place with TLS, or without. */
export function withScheme({ url }: Facts["target"], kind: "plain" | "secure"): string {
  if (kind === "plain") return url.replace(/^wss:/, "ws:").replace(/^https:/, "http:");
  return url.replace(/^ws:/, "wss:").replace(/^http:/, "https:");
}
