/** Passkeys: between the JSON of the API and the octets of the browser (WebAuthn level 3, section 5.1). */

const toOctets = (text: string): Uint8Array<ArrayBuffer> => {
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
};

const toText = (octets: ArrayBuffer | null): string | undefined =>
  octets === null
    ? undefined
    : btoa(String.fromCharCode(...new Uint8Array(octets))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

interface Options {
  publicKey: Record<string, unknown> & { challenge: string };
}

interface Described {
  id: string;
}

function octetsOf(list: unknown): unknown {
  return (list as Described[] | undefined)?.map((entry) => ({ ...entry, id: toOctets(entry.id) }));
}

/** Signs in with a passkey: what to send back. */
export async function getPasskey(options: unknown): Promise<Record<string, unknown>> {
  const { publicKey } = options as Options;
  const credential = (await navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: toOctets(publicKey.challenge),
      allowCredentials: octetsOf(publicKey.allowCredentials),
    } as unknown as PublicKeyCredentialRequestOptions,
  })) as PublicKeyCredential;
  const response = credential.response as AuthenticatorAssertionResponse;
  return described(credential, {
    authenticatorData: toText(response.authenticatorData),
    clientDataJSON: toText(response.clientDataJSON),
    signature: toText(response.signature),
    userHandle: toText(response.userHandle),
  });
}

/** Makes a passkey: what to register. */
export async function makePasskey(options: unknown): Promise<Record<string, unknown>> {
  const { publicKey } = options as Options;
  const user = publicKey.user as Described;
  const credential = (await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: toOctets(publicKey.challenge),
      user: { ...user, id: toOctets(user.id) },
      excludeCredentials: octetsOf(publicKey.excludeCredentials),
    } as unknown as PublicKeyCredentialCreationOptions,
  })) as PublicKeyCredential;
  const response = credential.response as AuthenticatorAttestationResponse;
  return described(credential, {
    attestationObject: toText(response.attestationObject),
    clientDataJSON: toText(response.clientDataJSON),
    transports: response.getTransports(),
  });
}

function described(credential: PublicKeyCredential, response: Record<string, unknown>): Record<string, unknown> {
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    extensions: credential.getClientExtensionResults(),
    response,
  };
}
