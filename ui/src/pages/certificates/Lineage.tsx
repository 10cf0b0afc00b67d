import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, call, type Schema } from '../../api/client';
import { CertificateState } from '../../components/Status';
import { When } from '../../components/Text';
import css from './certificate.module.css';

type Certificate = Schema<'Certificate'>;

const FURTHEST = 6;

async function walk(start: Certificate): Promise<Certificate[]> {
  const read = (id: string) => call(api.GET('/api/v1/certificates/{id}', { params: { path: { id } } })).catch(() => undefined);
  const line = [start];
  for (let before = start.replaces; before && line.length < FURTHEST; ) {
    const found = await read(before);
    if (!found) break;
    line.unshift(found);
    before = found.replaces;
  }
  for (let after = start.replaced_by; after && line.length < 2 * FURTHEST; ) {
    const found = await read(after);
    if (!found) break;
    line.push(found);
    after = found.replaced_by;
  }
  return line;
}

/** What it took the place of, and what took its place. */
export function Lineage({ certificate }: { certificate: Certificate }) {
  const { data = [certificate] } = useQuery({
    queryKey: ['certificates', 'lineage', certificate.id, certificate.replaced_by],
    queryFn: () => walk(certificate),
  });
  return (
    <>
      <ol className={css.lineage}>
        {data.map((each) => (
          <li key={each.id} data-current={each.id === certificate.id}>
            <div>
              {each.id === certificate.id ? <strong>This one</strong> : <Link to="/certificates/$id" params={{ id: each.id }}>{each.serial.slice(0, 12)}…</Link>}
              <div className="muted">since <When at={each.not_before} /></div>
            </div>
            <CertificateState certificate={each} />
          </li>
        ))}
      </ol>
      {data.length === 1 && <p className="muted" style={{ margin: '8px 0 0' }}>It took nobody’s place, and nothing took its place yet.</p>}
    </>
  );
}
