import { Status } from '../../components/Status';
import { When } from '../../components/Text';
import type { Schema } from '../../api/client';
import { visible } from '../../lib/names';
import css from './issuers.module.css';
import { services, type Service } from './services';

/** On a card: one line for each, the gravest of several addresses. */
export function ServiceLines({ issuer }: { issuer: Schema<'Issuer'> }) {
  const all = services(issuer);
  const names = [...new Set(all.map(({ name }) => name))];
  return (
    <ul className={css.services} aria-label="What it publishes, and what waits for it">
      {names.map((name) => {
        const places = all.filter((service) => service.name === name);
        const service = places.find(({ tone }) => tone === 'bad') ?? places[0];
        return service && (
          <li key={name}>
            <span>{name}</span>
            <Status tone={service.tone}>{service.state}</Status>
            <span className="clip"><Rest of={service} /></span>
          </li>
        );
      })}
    </ul>
  );
}

function Rest({ of: { note, until, since, more } }: { of: Service }) {
  return (
    <>
      {note}
      {since ? <>{note && ' · '}since <When at={since} /></> : until && !more && <>{note && ' · '}until <When at={until} /></>}
    </>
  );
}

/** On the page of a CA: every address by itself, with what is wrong and what to do. */
export function ServiceTable({ issuer }: { issuer: Schema<'Issuer'> }) {
  return (
    <dl className={css.serviceList}>
      {services(issuer).map((service, index) => (
        <div key={`${service.name} ${index}`}>
          <dt>{service.name}</dt>
          <dd>
            <div><Status tone={service.tone}>{service.state}</Status> {service.note}</div>
            {service.url && <div><a href={service.url} className="mono wrap">{visible(service.url)}</a></div>}
            {service.more && <div className="muted">{service.more}.</div>}
            {service.since && <div className="muted">since <When at={service.since} full /></div>}
            {service.until && <div className="muted">until <When at={service.until} full /></div>}
            {service.problem && <div className="wrap">{visible(service.problem)}</div>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
