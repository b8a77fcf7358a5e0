/** Why a file could not be read, in words: the system's own name a call of the kernel. */
export function ioMessage(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return "it does not exist";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "it is a folder";
  return message;
}

/** What keys and certificates are asked for as, in PEM (RFC 7468). */
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

/** DER begins with a sequence whose length takes more bytes than one, or is that of a small key. */
const isDer = (text: string): boolean => /^\x30[\x20-\x82]/.test(text) && /[^\t\n\r\x20-\x7e]/.test(text);

/** The same in base64 by itself: DER's first byte is always an `M` then. */
const isBareBase64 = (text: string): boolean =>
  /^M[A-Za-z0-9+/]{31,}={0,2}$/.test(text.replaceAll(/\s/g, ""));

const openSsh = "it is in OpenSSH's own form, which is not read; make a key with openssl";
const sshKey: Guess = { is: (text) => /^\s*(?:ssh-|ecdsa-sha2-|sk-)/.test(text), remedy: () => openSsh };
const sshPrivateKey: Guess = { is: holds("OPENSSH PRIVATE KEY"), remedy: () => openSsh };

/** What a file may be in place of what was asked for, the first that fits. */
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

/** Keys and certificates are shorter; of what is longer, its beginning says what it is. */
const maxCharacters = 65_536;

/**
 * What to do with a file that does not hold the PEM which was asked for. Nothing but the file's form is looked at.
 * @param text the file's bytes as Latin-1
 */
export const pemRemedy = (label: PemLabel, file: string, text: string): string =>
  guesses[label].find(({ is }) => is(text.slice(0, maxCharacters)))?.remedy(file) ??
  `it must have -----BEGIN ${label}-----`;
