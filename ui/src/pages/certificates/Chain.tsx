import { IconCertificate, IconServer, IconShieldCheck, IconShieldQuestion } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { raw, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Loaded } from '../../components/States';
import { CertificateState, Status } from '../../components/Status';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { keyKind } from '../../lib/words';
import { readChain, type ChainLink } from '../../lib/x509';
import { issuersQuery } from '../overview/queries';
import css from './certificate.module.css';

type Certificate = Schema<'Certificate'>;

/** The way from the trust anchor to the certificate, as a picture of the chain that is kept with it. */
export function Chain({ certificate }: { certificate: Certificate }) {
  const query = useQuery({
    queryKey: ['certificate-chain', certificate.id],
    queryFn: async () => readChain(await (await raw(`/api/v1/certificates/${certificate.id}/download?format=chain`)).text()).slice(1),
    staleTime: Infinity,
  });
  return <Loaded query={query} rows={3}>{(above) => <Picture certificate={certificate} above={above} />}</Loaded>;
}

function Picture({ certificate, above }: { certificate: Certificate; above: readonly ChainLink[] }) {
  const may = useMay();
  const { data } = useQuery({ ...issuersQuery, enabled: may('issuers:read') });
  const known = (subject: string) => data?.items.find((issuer) => issuer.certificate?.subject === subject);
  const top = above.at(-1);
  return (
    <ol className={css.chain}>
      {!top?.isSelfIssued && (
        <Above
          icon={<IconShieldQuestion size={18} />}
          subject={top?.issuer ?? certificate.issuer_name}
          issuer={known(top?.issuer ?? certificate.issuer_name)}
        >
          {top ? 'Above it; relying parties bring it along' : 'Signed it; its certificate is not kept here'}
        </Above>
      )}
      {[...above].reverse().map((link, index) => (
        <Above key={index} icon={link.isSelfIssued ? <IconShieldCheck size={18} /> : <IconServer size={18} />} subject={link.subject} issuer={known(link.subject)}>
          {link.isSelfIssued ? 'Trust anchor' : 'Issuing CA'} · ends <When at={link.notAfter} />
        </Above>
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

interface AboveProps {
  icon: ReactNode;
  subject: string;
  /** The issuer here that has this certificate, for those who may know it. */
  issuer: Schema<'Issuer'> | undefined;
  children: ReactNode;
}

function Above({ icon, subject, issuer, children }: AboveProps) {
  const name = <strong className="wrap">{visible(subject)}</strong>;
  return (
    <li className={css.link}>
      <span className={css.linkIcon}>{icon}</span>
      <div>
        {issuer ? <a href={`/issuers/${encodeURIComponent(issuer.name)}`}>{name}</a> : name}
        <div className="muted">{children}</div>
      </div>
      {issuer && issuer.state !== 'active' && <Status tone="off">{issuer.state}</Status>}
    </li>
  );
}
