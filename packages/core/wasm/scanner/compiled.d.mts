/** The scanner, in base64. */
export const SCANNER: string;
