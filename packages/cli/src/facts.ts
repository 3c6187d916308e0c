// probe → [facts] → judge, render: what was observed, without a judgment

/** Why a step failed: the code of Node's error or of ours, and its message. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** What a protocol found wrong with an answer, such as `wrong-accept-key`. */
  readonly reason?: string | undefined;
}

/** What was asked for. */
export interface TargetFacts {
  /** Without a password, and with secrets in its query masked. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket, instead of a host and a port. */
  readonly path?: string | undefined;
  readonly isSecure: boolean;
  readonly method: string;
  readonly protocols: readonly string[];
  readonly subprotocols: readonly string[];
  readonly timeoutMs: number;
}

export interface NameFacts {
  readonly host: string;
  readonly addresses: readonly string[];
  readonly ms: number;
  readonly failure?: Failure | undefined;
}

export interface DialFacts {
  /** `host:port` of the first hop, or the path of a socket. */
  readonly to: string;
  /** Where the connection leads, once it is open. */
  readonly address?: string | undefined;
  readonly ms: number;
  readonly failure?: Failure | undefined;
}

export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  /** The DNS names and addresses of a leaf. */
  readonly names: readonly string[];
  readonly from: string;
  readonly to: string;
}

export interface TlsFacts {
  readonly to: string;
  readonly servername?: string | undefined;
  readonly version?: string | undefined;
  readonly cipher?: string | undefined;
  /** The protocol that ALPN chose. */
  readonly alpn?: string | undefined;
  /** The leaf first. */
  readonly chain: readonly Certificate[];
  readonly ms: number;
  /** The certificate does not prove that this is the host. */
  readonly distrust?: Failure | undefined;
  /** The handshake failed. */
  readonly failure?: Failure | undefined;
}

export interface ProxyFacts {
  readonly name: string;
  readonly hasCredentials: boolean;
  readonly request: string;
  readonly status?: number | undefined;
  readonly response?: string | undefined;
  readonly ms: number;
  readonly failure?: Failure | undefined;
}

export interface RequestFacts {
  /** As written, with secrets masked. */
  readonly head: string;
  /** Everything written before the answer, in bytes. */
  readonly bytes: number;
}

export type FieldLine = readonly [name: string, value: string];

export interface AnswerFacts {
  /** The statuses of interim responses before it. */
  readonly interim: readonly number[];
  /** As received, with secrets masked. */
  readonly head: string;
  /** The empty line after the fields was received. */
  readonly isWhole: boolean;
  readonly version?: string | undefined;
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  readonly fields: readonly FieldLine[];
  /** In how many pieces the head arrived. */
  readonly pieces: number;
  /** The first 16 bytes received, in hexadecimal. */
  readonly firstBytes: string;
  /** The beginning of a refusal's body, as text. */
  readonly body: string;
  readonly ms: number;
}

/** How the other side of a connection ended. */
export type Ending = "open" | "ended" | "reset";

export interface ExchangeFacts {
  readonly request: RequestFacts;
  /** Undefined: not a byte came back. */
  readonly answer?: AnswerFacts | undefined;
  readonly isSwitched: boolean;
  /** Why the answer was not accepted, or none came. */
  readonly failure?: Failure | undefined;
  readonly ending: Ending;
  readonly ms: number;
}

/** After the switch. What was not tried is undefined. */
export interface AfterFacts {
  /** Bytes that came together with the 101. */
  readonly earlyBytes: number;
  /** A message sent at once, and what it was; it came back. */
  readonly early?: Returned | undefined;
  /** The same after the silence. */
  readonly idle?: (Returned & { readonly idleMs: number }) | undefined;
  /** What came back after our side had ended. */
  readonly halfClose?: Returned | undefined;
  readonly ending: Ending;
}

export interface Returned {
  readonly by: "ping" | "echo" | "silence" | "close";
  readonly survived: boolean;
  /** When it came back, or when the connection broke. */
  readonly ms: number;
  readonly ending: Ending;
  readonly failure?: Failure | undefined;
}

/** Further attempts, to tell two causes apart. */
export interface ControlFacts {
  /** The status of the answer to the same proposal without a body. */
  readonly withoutBody?: number | undefined;
  /** The port answers a TLS handshake. */
  readonly speaksTls?: boolean | undefined;
  /** TLS chooses `h2` if it is offered. */
  readonly speaksH2?: boolean | undefined;
  /** The same request without a proposal. */
  readonly withoutProposal?: { readonly status: number; readonly isSame: boolean } | undefined;
}

export interface Facts {
  readonly target: TargetFacts;
  readonly name?: NameFacts | undefined;
  readonly dial?: DialFacts | undefined;
  readonly proxyTls?: TlsFacts | undefined;
  readonly proxy?: ProxyFacts | undefined;
  readonly tls?: TlsFacts | undefined;
  readonly exchange?: ExchangeFacts | undefined;
  readonly after?: AfterFacts | undefined;
  readonly control: ControlFacts;
}
