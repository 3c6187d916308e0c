// upstream → [failure] → client: the response that says why there is no other (RFC 9209)

import { type ErrorCode, gatewayStatus, UpgradeError } from "@upgrade/core";
import type { ServerResponse } from "@upgrade/server";

/** Why a proxy answers by itself: an error type of RFC 9209 §2.3. */
export type ProxyErrorType =
  | "dns_error"
  | "destination_ip_prohibited"
  | "destination_ip_unroutable"
  | "connection_refused"
  | "connection_terminated"
  | "connection_timeout"
  | "connection_read_timeout"
  | "connection_write_timeout"
  | "tls_certificate_error"
  | "tls_protocol_error"
  | "http_request_denied"
  | "http_request_error"
  | "http_response_incomplete"
  | "http_response_header_section_size"
  | "http_response_body_size"
  | "http_response_trailer_section_size"
  | "http_response_transfer_coding"
  | "http_response_timeout"
  | "http_upgrade_failed"
  | "http_protocol_error"
  | "proxy_internal_error";

const BY_CODE: { readonly [Code in ErrorCode]?: ProxyErrorType } = {
  OPEN_TIMEOUT: "connection_timeout",
  ANSWER_TIMEOUT: "http_response_timeout",
  HEAD_TIMEOUT: "connection_read_timeout",
  BODY_TIMEOUT: "connection_read_timeout",
  WRITE_TIMEOUT: "connection_write_timeout",
  INCOMPLETE_MESSAGE: "http_response_incomplete",
  HEAD_TOO_LARGE: "http_response_header_section_size",
  TOO_MANY_HEADERS: "http_response_header_section_size",
  BODY_TOO_LARGE: "http_response_body_size",
  TRAILERS_TOO_LARGE: "http_response_trailer_section_size",
  TOO_MANY_TRAILERS: "http_response_trailer_section_size",
  BAD_TRANSFER_ENCODING: "http_response_transfer_coding",
  UNKNOWN_TRANSFER_CODING: "http_response_transfer_coding",
  UNEXPECTED_SWITCH: "http_upgrade_failed",
  BAD_SWITCH: "http_upgrade_failed",
};

// The codes of libuv and OpenSSL, by their beginnings.
const BY_SYSTEM_CODE: readonly (readonly [RegExp, ProxyErrorType])[] = [
  [/^ECONNREFUSED$/, "connection_refused"],
  [/^ETIMEDOUT$/, "connection_timeout"],
  [/^(?:ENOTFOUND|EAI_)/, "dns_error"],
  [/^E(?:HOST|NET)UNREACH$/, "destination_ip_unroutable"],
  [/^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/, "tls_certificate_error"],
  [/^(?:ERR_SSL|EPROTO$)/, "tls_protocol_error"],
];

/** The error type of a failure, the deepest cause that has one. */
export function errorTypeOf(error: unknown): ProxyErrorType {
  if (gatewayStatus(error) === 500) return "proxy_internal_error";
  const isOfHttp = error instanceof UpgradeError && error.name === "RemoteProtocolError";
  return typeIn(error, 0) ?? (isOfHttp ? "http_protocol_error" : "connection_terminated");
}

function typeIn(error: unknown, depth: number): ProxyErrorType | undefined {
  if (!(error instanceof Error) || depth > 8) return undefined;
  const deeper = typeIn(error.cause, depth + 1);
  if (deeper !== undefined) return deeper;
  if (error instanceof UpgradeError) return BY_CODE[error.code];
  const { code } = error as { readonly code?: unknown };
  if (typeof code !== "string") return undefined;
  return BY_SYSTEM_CODE.find(([pattern]) => pattern.test(code))?.[1];
}

/** A response of the proxy's own. */
export function ownResponse(status: number, type: ProxyErrorType, name: string): ServerResponse {
  return {
    status,
    headers: [
      // RFC 9209 §2: the proxy, and what it has to say.
      ["Proxy-Status", `${name}; error=${type}`],
      ["Content-Type", "text/plain"],
    ],
    body: `${type.replaceAll("_", " ")}\n`,
  };
}

/** The response for a request whose upstream has failed: 502, or 504 if it was late. */
export function failureResponse(error: unknown, name: string): ServerResponse {
  return ownResponse(gatewayStatus(error), errorTypeOf(error), name);
}
