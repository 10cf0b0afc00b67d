import { IconCertificate, IconServer, IconShieldCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { CertificateState, Status } from '../../components/Status';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { keyKind } from '../../lib/words';
import { issuersQuery } from '../overview/queries';
import css from './certificate.module.css';

type Issuer = Schema<'Issuer'>;

/** The issuers above, as far as they are ours; each is found by the name that the one below gives. */
function above(certificate: Schema<'Certificate'>, issuers: readonly Issuer[]): Issuer[] {
  const chain: Issuer[] = [];
  let next = issuers.find(({ name }) => name === certificate.issuer);
  while (next && !chain.includes(next)) {
    chain.unshift(next);
    const parent = next.certificate?.issuer;
    next = next.is_root ? undefined : issuers.find((issuer) => issuer.certificate?.subject === parent);
  }
  return chain;
}

/** The way from the trust anchor to the certificate, as a picture. */
export function Chain({ certificate }: { certificate: Schema<'Certificate'> }) {
  const may = useMay();
  const { data } = useQuery({ ...issuersQuery, enabled: may('issuers:read') });
  const chain = above(certificate, data?.items ?? []);
  return (
    <ol className={css.chain}>
      {chain.length === 0 && (
        <li className={css.link}>
          <span className={css.linkIcon}><IconShieldCheck size={18} /></span>
          <div>
            <strong className="wrap">{visible(certificate.issuer_name)}</strong>
            <div className="muted">A CA elsewhere</div>
          </div>
        </li>
      )}
      {chain.map((issuer) => (
        <li key={issuer.id} className={css.link}>
          <span className={css.linkIcon}>{issuer.is_root ? <IconShieldCheck size={18} /> : <IconServer size={18} />}</span>
          <div>
            <a href={`/issuers/${encodeURIComponent(issuer.name)}`}><strong className="wrap">{visible(issuer.certificate?.subject ?? issuer.name)}</strong></a>
            <div className="muted">
              {issuer.is_root ? 'Trust anchor' : 'Issuing CA'}
              {issuer.certificate && <> · {keyKind(issuer.certificate.key_kind)} · ends <When at={issuer.certificate.not_after} /></>}
            </div>
          </div>
          {issuer.state !== 'active' && <Status tone="off">{issuer.state}</Status>}
        </li>
      ))}
      <li className={css.link} data-leaf>
        <span className={css.linkIcon}><IconCertificate size={18} /></span>
        <div>
          <strong className="wrap">{visible(certificate.names[0] ?? certificate.subject)}</strong>
          <div className="muted">{keyKind(certificate.key_kind)} · ends <When at={certificate.not_after} /></div>
        </div>
        <CertificateState certificate={certificate} />
      </li>
    </ol>
  );
}
