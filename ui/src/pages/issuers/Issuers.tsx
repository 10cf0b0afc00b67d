import { Button } from '@mantine/core';
import { IconBuildingBank, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Page, Panel } from '../../components/Page';
import { Empty, Loaded } from '../../components/States';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { daysUntil } from '../../lib/time';
import { issuersQuery, summaryQuery } from '../overview/queries';
import { AddIssuer } from './AddIssuer';
import { Usage } from './Health';
import { IssuerState } from './IssuerState';
import css from './issuers.module.css';
import { Migrations } from './Migrations';
import { ServiceLines } from './Services';

/** The CAs that sign: how they are, and what they carry. */
export function Issuers() {
  const may = useMay();
  const query = useQuery(issuersQuery);
  const { data: summary } = useQuery(summaryQuery);
  const [adding, setAdding] = useState(false);
  const load = (name: string) => summary?.by_issuer.find((slice) => slice.name === name)?.valid ?? 0;
  const add = may('issuers:administer') && <Button leftSection={<IconPlus size={18} />} onClick={() => setAdding(true)}>Add an issuer</Button>;
  return (
    <Page title="Issuers" lead="The certificate authorities that profiles send requests to." actions={add}>
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <Panel><Empty icon={<IconBuildingBank size={24} />} title="No issuers" action={add}>Bring a CA along, or connect one elsewhere.</Empty></Panel>
          ) : (
            <div className={css.cards}>
              {page.items.map((issuer) => <Card key={issuer.id} issuer={issuer} load={load(issuer.name)} />)}
            </div>
          )
        }
      </Loaded>
      <Migrations />
      {adding && <AddIssuer onClose={() => setAdding(false)} />}
    </Page>
  );
}

function Card({ issuer, load }: { issuer: Schema<'Issuer'>; load: number }) {
  const { certificate, live } = issuer;
  return (
    <Link to="/issuers/$name" params={{ name: issuer.name }} className={css.card}>
      <div className={css.head}>
        <span className={css.icon}><IconBuildingBank size={20} /></span>
        <div style={{ minWidth: 0 }}>
          <strong className="clip" style={{ display: 'block' }}>{issuer.name}</strong>
          <span className="muted">{issuer.is_root ? 'trust anchor' : issuer.kind}</span>
        </div>
        <span style={{ marginLeft: 'auto' }}><IssuerState issuer={issuer} /></span>
      </div>
      <p className={`${css.subject} wrap`}>{certificate ? visible(certificate.subject) : 'Waits for its certificate'}</p>
      <dl className={css.figures}>
        <div><dt>Active</dt><dd className="num">{load.toLocaleString('en')}</dd></div>
        <div><dt>CA ends</dt><dd data-soon={certificate ? daysUntil(certificate.not_after) < 90 : undefined}>{certificate ? <When at={certificate.not_after} /> : '–'}</dd></div>
      </dl>
      <ServiceLines issuer={issuer} />
      {live && !issuer.is_root && (
        <div className={css.share1}>
          <span>Last hour</span>
          <span className={css.bar} aria-hidden><span style={{ width: `${100 * live.share}%` }} /></span>
          <span className="num">{Math.round(100 * live.share)} % of all</span>
        </div>
      )}
      {live?.usage && <Usage of={live.usage} />}
      {live?.last_error && live.failures_in_a_row > 0 && <p className={`${css.subject} wrap`}>{visible(live.last_error)}</p>}
    </Link>
  );
}
