import { Modal, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArrowRight, IconCertificate, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type KeyboardEvent, type ReactNode } from 'react';
import { api, call } from '../api/client';
import { useMay } from '../api/session';
import { visible } from '../lib/names';
import { pageOf } from '../lib/words';
import { DESTINATIONS } from './destinations';
import css from './palette.module.css';

interface Command {
  id: string;
  label: string;
  hint?: string;
  icon: ReactNode;
  to: string;
  search?: Record<string, string>;
}

const MORE: { label: string; to: string; needs?: string }[] = [
  { label: 'Request a certificate', to: '/requests/new', needs: 'certificates:request' },
  { label: 'Certificates that end within 30 days', to: '/certificates?expires_within=30d&sort=not_after', needs: 'certificates:read' },
  { label: 'Weak keys', to: '/certificates?weak_key=true', needs: 'certificates:read' },
  { label: 'Bulk actions', to: '/bulk', needs: 'certificates:read' },
  { label: 'Profiles', to: '/policy/profiles', needs: 'policy:read' },
  { label: 'Metadata fields', to: '/policy/fields', needs: 'policy:read' },
  { label: 'ACME orders', to: '/automation/orders', needs: 'acme:read' },
  { label: 'External account keys', to: '/automation/keys', needs: 'acme:read' },
  { label: 'Users', to: '/administration/users', needs: 'access:read' },
  { label: 'API tokens', to: '/administration/tokens', needs: 'access:read' },
  { label: 'Audit log', to: '/administration/audit', needs: 'audit:read' },
  { label: 'Sign-in and sessions', to: '/profile' },
];

/** Ctrl-K: pages, certificates by name, anything by its id. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const [asked] = useDebouncedValue(text.trim(), 120);
  const navigate = useNavigate();
  const commands = useCommands(text.trim().toLowerCase(), asked);
  const go = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    const [path = '/', query = ''] = command.to.split('?');
    void navigate({ to: path, search: command.search ?? Object.fromEntries(new URLSearchParams(query)) } as never);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setChosen((now) => (now + step + commands.length) % Math.max(commands.length, 1));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      go(commands[chosen]);
    }
  };
  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding={0} size="lg" yOffset="12vh" centered={false} title={undefined} aria-label="Search and commands">
      <TextInput
        variant="unstyled"
        size="md"
        px="md"
        py={6}
        leftSection={<IconSearch size={18} />}
        leftSectionWidth={48}
        placeholder="A name, an id, or where to go"
        aria-label="Search and commands"
        role="combobox"
        aria-expanded
        aria-controls="palette"
        aria-activedescendant={commands[chosen] ? `palette-${chosen}` : undefined}
        data-autofocus
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKey}
      />
      <div id="palette" role="listbox" aria-label="Results" className={css.list}>
        {commands.length === 0 && <p className={css.none}>Nothing fits. Names, ids and page titles are looked at.</p>}
        {commands.map((command, index) => (
          <div
            key={command.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={css.item}
            onMouseMove={() => setChosen(index)}
            onClick={() => go(command)}
          >
            {command.icon}
            <span className="clip">{command.label}</span>
            {command.hint && <span className={css.hint}>{command.hint}</span>}
          </div>
        ))}
      </div>
    </Modal>
  );
}

function useCommands(text: string, asked: string): Command[] {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ['certificates', 'palette', asked],
    queryFn: () => call(api.GET('/api/v1/certificates', { params: { query: { q: asked, limit: 8 } } })),
    enabled: asked.length > 1 && may('certificates:read') && !pageOf(asked),
    retry: false,
  });
  const fits = (label: string) => label.toLowerCase().includes(text);
  const pages = DESTINATIONS.filter(({ needs, label }) => (!needs || may(needs)) && fits(label)).map(({ to, label, icon: Icon }) => ({
    id: to, label, to, hint: 'Page', icon: <Icon size={18} />,
  }));
  const more = MORE.filter(({ needs, label }) => (!needs || may(needs)) && fits(label)).map(({ to, label }) => ({
    id: `more ${to}`, label, to, icon: <IconArrowRight size={18} />,
  }));
  const object = pageOf(text);
  const direct = object ? [{ id: text, label: `Open ${text}`, to: object, icon: <IconArrowRight size={18} /> }] : [];
  const found = (text.length > 1 ? (data?.items ?? []) : []).map((certificate) => ({
    id: certificate.id,
    label: visible(certificate.names[0] ?? certificate.subject),
    hint: certificate.status,
    to: `/certificates/${certificate.id}`,
    icon: <IconCertificate size={18} />,
  }));
  const all = text.length > 1 ? [{ id: 'search', label: `All certificates with “${visible(text)}”`, to: '/certificates', search: { q: text }, icon: <IconSearch size={18} /> }] : [];
  return [...direct, ...found, ...pages, ...more, ...all].slice(0, 24);
}
