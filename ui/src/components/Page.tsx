import { Link } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import css from './ui.module.css';

interface PageProps {
  title: string;
  /** What is shown instead of the plain title. */
  heading?: ReactNode;
  lead?: ReactNode;
  above?: { label: string; to: string };
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, heading, lead, above, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Certwright`;
  }, [title]);
  return (
    <div className={css.page}>
      <header className={css.header}>
        <div>
          {above && (
            <div className={css.crumbs}>
              <Link to={above.to}>
                <span aria-hidden>‹ </span>
                {above.label}
              </Link>
            </div>
          )}
          <h1 className={css.title}>{heading ?? title}</h1>
          {lead && <p className={css.lead}>{lead}</p>}
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface PanelProps {
  title?: ReactNode;
  note?: ReactNode;
  flush?: boolean;
  className?: string;
  children: ReactNode;
}

export function Panel({ title, note, flush, className, children }: PanelProps) {
  return (
    <section className={`${css.panel} ${className ?? ''}`}>
      {title && (
        <div className={css.panelHead}>
          <h2>{title}</h2>
          {note && <div className={css.panelNote}>{note}</div>}
        </div>
      )}
      <div className={flush ? css.flush : css.panelBody}>{children}</div>
    </section>
  );
}

export const grid = css;

export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  const present = rows.filter(([, value]) => value !== undefined && value !== null && value !== '');
  if (present.length === 0) return null;
  return (
    <dl className={css.facts}>
      {present.map(([name, value]) => (
        <FactRow key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function FactRow({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
