/** What to type to make a client use a directory. */

export interface ClientSetup {
  name: string;
  label: string;
  text: string;
}

export interface Binding {
  id: string;
  hmac: string;
}

/** The set-up of each client, with the external account where there is one. */
export function clientSetups(directory: string, origin: string, binding?: Binding): ClientSetup[] {
  const kid = binding?.id ?? 'KEY_ID';
  const hmac = binding?.hmac ?? 'HMAC_KEY';
  const host = 'www.example.org';
  const fetchRoot = (to: string) => `# Once; compare its hash over another way.\ncurl -ko ${to} ${origin}/root.pem`;
  const root = fetchRoot('root.pem');
  return [
    {
      name: 'certbot', label: 'certbot',
      text: `${root}\nREQUESTS_CA_BUNDLE=root.pem certbot certonly --standalone \\\n  --server ${directory} \\\n${binding ? `  --eab-kid ${kid} --eab-hmac-key ${hmac} \\\n` : ''}  -d ${host}\n`,
    },
    {
      name: 'lego', label: 'lego',
      text: `${root}\nLEGO_CA_CERTIFICATES=root.pem lego --server ${directory} \\\n${binding ? `  --eab --kid ${kid} --hmac ${hmac} \\\n` : ''}  --email you@example.org --accept-tos \\\n  --http --domains ${host} run\n`,
    },
    {
      name: 'acme.sh', label: 'acme.sh',
      text: `${root}\n${binding ? `acme.sh --register-account --server ${directory} --ca-bundle root.pem \\\n  --eab-kid ${kid} --eab-hmac-key ${hmac}\n` : ''}acme.sh --issue --server ${directory} --ca-bundle root.pem \\\n  --standalone -d ${host}\n`,
    },
    {
      name: 'caddy', label: 'Caddy',
      text: `${fetchRoot('/etc/caddy/root.pem')}\n\n# Caddyfile\n{\n\tacme_ca ${directory}\n\tacme_ca_root /etc/caddy/root.pem\n${binding ? `\tacme_eab {\n\t\tkey_id ${kid}\n\t\tmac_key ${hmac}\n\t}\n` : ''}}\n\n${host} {\n\treverse_proxy localhost:8080\n}\n`,
    },
    {
      name: 'cert-manager', label: 'cert-manager',
      text: `${root}\nkubectl apply -f - <<EOF\napiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata:\n  name: certwright\nspec:\n  acme:\n    server: ${directory}\n    caBundle: $(base64 -w0 root.pem)\n    privateKeySecretRef:\n      name: certwright-account\n${binding ? `    externalAccountBinding:\n      keyID: ${kid}\n      keySecretRef:\n        name: certwright-eab   # kubectl create secret generic certwright-eab --from-literal=secret=${hmac}\n        key: secret\n` : ''}    solvers:\n      - http01:\n          ingress: {}\nEOF\n`,
    },
    {
      name: 'traefik', label: 'Traefik',
      text: `${fetchRoot('/etc/traefik/root.pem')}\n# LEGO_CA_CERTIFICATES=/etc/traefik/root.pem in Traefik's environment\n\n# traefik.yml\ncertificatesResolvers:\n  certwright:\n    acme:\n      caServer: ${directory}\n      storage: /var/lib/traefik/acme.json\n${binding ? `      eab:\n        kid: ${kid}\n        hmacEncoded: ${hmac}\n` : ''}      httpChallenge:\n        entryPoint: web\n`,
    },
    {
      name: 'win-acme', label: 'win-acme',
      text: `# Once; compare its hash over another way.\ncurl.exe -ko root.pem ${origin}/root.pem\nImport-Certificate -FilePath root.pem -CertStoreLocation Cert:\\LocalMachine\\Root\nwacs.exe --baseuri "${directory}" ${binding ? `--eab-key-identifier ${kid} --eab-key ${hmac} ` : ''}--target manual --host ${host} --validation selfhosting\n`,
    },
  ];
}
