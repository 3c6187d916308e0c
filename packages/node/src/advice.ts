// open, serve → [advice] → errors: what to do about each failure of the system

const UNKNOWN_HOST = "no such host: check the name";
const NO_DNS = "the name cannot be resolved now: check the DNS and try again";
const UNTRUSTED = "its certificate is not trusted: give the authority that signed it in tls.ca";

type Advice = Readonly<Record<string, string>>;

/** Why a server cannot listen, by the code of Node's error. */
const LISTENING: Advice = {
  EADDRINUSE: "it is in use: end the other server, or choose another port (0 for any free one)",
  EADDRNOTAVAIL: "this machine has no such address: check host",
  ENOTFOUND: UNKNOWN_HOST,
  EAI_AGAIN: NO_DNS,
  EACCES: "it is not allowed: use a port above 1023, or a path that this user may write",
  EINVAL: "it is no address to listen on: check host, port and path",
  ENOENT: "the folder of the path does not exist",
};

/** Why it cannot listen at a path. */
const LISTENING_AT_PATH: Advice = {
  ...LISTENING,
  EADDRINUSE:
    "it is in use: end the other server; if none runs, delete the file, which one has left",
};

/** Why a connection cannot be opened, by the code of Node's error. */
const OPENING: Advice = {
  ECONNREFUSED: "nothing listens there: check the address, and that the server runs",
  ENOTFOUND: UNKNOWN_HOST,
  EAI_AGAIN: NO_DNS,
  ETIMEDOUT: "it does not answer: check the address and the firewall",
  EHOSTUNREACH: "there is no route to it: check the network",
  ENETUNREACH: "there is no route to it: check the network",
  ENOENT: "there is no socket at this path: check that the server runs",
  EACCES: "this user may not connect to it",
  ENOTSOCK: "the path is not a socket",
  ECONNRESET: "it closed the connection before it was open",
  EPROTO: "it does not speak TLS: check the scheme and the port",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS: check the scheme and the port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS: check the scheme and the port",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "it does not offer http/1.1 (tls.ALPNProtocols)",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "its certificate is for another name: check the host, or give tls.servername",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: check the clock",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** Why a proxy opens no tunnel, by the status of its response. */
const REFUSING: Advice = {
  401: "give its credentials in its URL, http://user:password@host:port",
  403: "it does not allow this destination",
  404: "it is no proxy for CONNECT: check its URL",
  405: "it is no proxy for CONNECT: check its URL",
  407: "give its credentials in its URL, http://user:password@host:port",
  501: "it is no proxy for CONNECT: check its URL",
  502: "it cannot reach the destination",
  503: "it cannot reach the destination",
  504: "it cannot reach the destination",
};

export const onListening = (error: unknown, path: string | undefined): string =>
  advice(path === undefined ? LISTENING : LISTENING_AT_PATH, error);
export const onOpening = (error: unknown): string => advice(OPENING, error);
export const onRefusal = (status: number): string => REFUSING[status] ?? "see the response";

function advice(table: Advice, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return message;
  // When several addresses failed, Node's error has a code and no message.
  const known = Object.hasOwn(table, code) ? table[code] : message;
  return known === undefined || known === "" ? code : `${known} (${code})`;
}
