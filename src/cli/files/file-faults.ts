/** Reason why a file could not be read, in words: Node's own message names a system call. */
export function ioMessage(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return "it does not exist";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "it is a folder";
  return message;
}

/** PEM label of a key or certificate (RFC 7468). */
export type PemLabel = "PUBLIC KEY" | "CERTIFICATE" | "PRIVATE KEY";

interface Guess {
  readonly is: (text: string) => boolean;
  readonly remedy: (file: string) => string;
}

const holds =
  (...labels: readonly string[]) =>
  (text: string): boolean =>
    labels.some((label) => text.includes(`-----BEGIN ${label}-----`));

const isSecret = (text: string): boolean => /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text);

/** DER of a key or certificate: a SEQUENCE (0x30) with a length of a small key or in long form, then binary data. */
const isDer = (text: string): boolean => /^\x30[\x20-\x82]/.test(text) && /[^\t\n\r\x20-\x7e]/.test(text);

/** DER in base64 without PEM lines: its first byte 0x30 always encodes as `M`. */
const isBareBase64 = (text: string): boolean =>
  /^M[A-Za-z0-9+/]{31,}={0,2}$/.test(text.replaceAll(/\s/g, ""));

const openSsh = "it is in OpenSSH's own form, which is not read; make a key with openssl";
const sshKey: Guess = { is: (text) => /^\s*(?:ssh-|ecdsa-sha2-|sk-)/.test(text), remedy: () => openSsh };
const sshPrivateKey: Guess = { is: holds("OPENSSH PRIVATE KEY"), remedy: () => openSsh };

/** Mistaken files by the PEM label that was expected; the first match counts. */
const guesses: Readonly<Record<PemLabel, readonly Guess[]>> = {
  "PUBLIC KEY": [
    sshPrivateKey,
    sshKey,
    {
      is: isSecret,
      remedy: (file) => `it is a private key; make its public key: openssl pkey -in ${file} -pubout`,
    },
    {
      is: holds("CERTIFICATE"),
      remedy: (file) =>
        `it is a certificate; name a root with --certificate-chain, or take its key: openssl x509 -in ${file} -noout -pubkey`,
    },
    {
      is: isDer,
      remedy: (file) => `it looks like DER; make PEM of it: openssl pkey -pubin -inform DER -in ${file}`,
    },
    {
      is: isBareBase64,
      remedy: (file) =>
        `it looks like a key without its first and last line; make PEM of it: openssl base64 -d -A -in ${file} | openssl pkey -pubin -inform DER`,
    },
  ],
  CERTIFICATE: [
    {
      is: holds("PUBLIC KEY"),
      remedy: () => "it is a public key, which says nothing of whose it is; verify takes it as --public-key",
    },
    { is: isSecret, remedy: () => "it is a private key; name the certificates" },
    {
      is: holds("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
      remedy: () => "it is a request for a certificate; name what the authority made of it",
    },
    {
      is: holds("PKCS7"),
      remedy: (file) => `take the certificates out of it: openssl pkcs7 -print_certs -in ${file}`,
    },
    {
      is: isDer,
      remedy: (file) => `it looks like DER; make PEM of it: openssl x509 -inform DER -in ${file}`,
    },
  ],
  "PRIVATE KEY": [
    sshPrivateKey,
    sshKey,
    {
      is: holds("PUBLIC KEY"),
      remedy: () => "it is a public key; sign with the private one, of which it was made",
    },
    {
      is: (text) => holds("CERTIFICATE")(text) && !isSecret(text),
      remedy: () => "it is a certificate, which goes with --certificate-chain; name its private key",
    },
    {
      is: isDer,
      remedy: (file) => `it looks like DER; make PEM of it: openssl pkey -inform DER -in ${file}`,
    },
  ],
};

/** Longer than any key or certificate: the beginning of a file shows its kind. */
const maxCharacters = 65_536;

/**
 * Remedy for a file that lacks the expected PEM. Only its form is examined, not its contents.
 * @param text the file's bytes as Latin-1
 */
export const pemRemedy = (label: PemLabel, file: string, text: string): string =>
  guesses[label].find(({ is }) => is(text.slice(0, maxCharacters)))?.remedy(file) ??
  `it must have -----BEGIN ${label}-----`;
