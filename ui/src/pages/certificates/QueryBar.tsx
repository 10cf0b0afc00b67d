import { ActionIcon, Button, Menu, TextInput } from '@mantine/core';
import { IconColumns3, IconFilter, IconSearch, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { api, call } from '../../api/client';
import { useMay } from '../../api/session';
import { visible } from '../../lib/names';
import { useAddress } from '../../lib/search';
import { issuersQuery, summaryQuery } from '../overview/queries';
import { COLUMNS, columnsOf } from './columns';
import { chips, valueText } from './filters';
import css from './inventory.module.css';
import { SavedViews } from './SavedViews';

/** Words, fields and filters; all of them stand in the address. */
export function QueryBar() {
  const [search, change] = useAddress();
  const [text, setText] = useState(search.q ?? '');
  useEffect(() => setText(search.q ?? ''), [search.q]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change({ q: text.trim() || undefined }, true);
  };
  const active = chips(search);
  const clear = Object.fromEntries([...active.map(({ name }) => [name, undefined]), ['q', undefined]]) as Record<string, undefined>;
  return (
    <div className={css.bar}>
      <div className={css.barRow}>
        <form onSubmit={submit} className={css.query} role="search">
          <TextInput
            aria-label="Search certificates"
            placeholder={'expires<30d  team:web  billing=4711  "exact words"'}
            leftSection={<IconSearch size={16} />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            rightSection={
              text && (
                <ActionIcon variant="subtle" color="gray" aria-label="Clear the search" onClick={() => { setText(''); change({ q: undefined }); }}>
                  <IconX size={16} />
                </ActionIcon>
              )
            }
          />
        </form>
        <FilterMenu />
        <ColumnMenu />
        <SavedViews />
      </div>
      {active.length > 0 && (
        <div className={css.chips} aria-label="Filters">
          {active.map(({ name, text: words }) => (
            <button key={name} type="button" className={css.chip} onClick={() => change({ [name]: undefined })} aria-label={`Remove the filter ${words}`}>
              {visible(words)} <IconX size={14} aria-hidden />
            </button>
          ))}
          <Button variant="subtle" size="compact-sm" onClick={() => change(clear)}>
            Clear all
          </Button>
        </div>
      )}
    </div>
  );
}

const ENDINGS = ['7d', '30d', '90d', '1y'];
const STATES = ['valid', 'expired', 'revoked', 'not-yet-valid'];

function FilterMenu() {
  const [search, change] = useAddress();
  const may = useMay();
  const { data: issuers } = useQuery({ ...issuersQuery, enabled: may('issuers:read') });
  const { data: summary } = useQuery(summaryQuery);
  const { data: profiles } = useQuery({ queryKey: ['policy', 'profiles'], queryFn: () => call(api.GET('/api/v1/profiles')), retry: false, enabled: may('policy:read') });
  const groups: { name: string; label: string; values: string[] }[] = [
    { name: 'status', label: 'State', values: STATES },
    { name: 'expires_within', label: 'Ends within', values: ENDINGS },
    { name: 'issuer', label: 'Issuer', values: (issuers?.items ?? []).map((issuer) => issuer.name) },
    { name: 'profile', label: 'Profile', values: (profiles?.items ?? []).map((profile) => profile.name) },
    { name: 'team', label: 'Owner', values: (summary?.by_team ?? []).flatMap((slice) => slice.name ?? []) },
    { name: 'key_kind', label: 'Key', values: (summary?.by_key_kind ?? []).flatMap((slice) => slice.name ?? []) },
    { name: 'origin', label: 'Origin', values: ['issued', 'imported', 'discovered'] },
    { name: 'replaced', label: 'Replaced', values: ['true', 'false'] },
  ];
  return (
    <Menu position="bottom-end" closeOnItemClick={false} width={220}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconFilter size={16} />}>
          Filter
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {groups
          .filter(({ values }) => values.length > 0)
          .map(({ name, label, values }) => (
            <Menu.Sub key={name}>
              <Menu.Sub.Target>
                <Menu.Sub.Item>{label}</Menu.Sub.Item>
              </Menu.Sub.Target>
              <Menu.Sub.Dropdown mah={360} style={{ overflowY: 'auto' }}>
                {values.slice(0, 60).map((value) => (
                  <Menu.CheckboxItem key={value} checked={search[name] === value} onChange={() => change({ [name]: search[name] === value ? undefined : value }, true)}>
                    {visible(valueText(name, value))}
                  </Menu.CheckboxItem>
                ))}
              </Menu.Sub.Dropdown>
            </Menu.Sub>
          ))}
        <Menu.Divider />
        <Menu.CheckboxItem checked={search.weak_key === 'true'} onChange={() => change({ weak_key: search.weak_key ? undefined : 'true' }, true)}>Weak keys only</Menu.CheckboxItem>
        <Menu.CheckboxItem checked={search.owned === 'false'} onChange={() => change({ owned: search.owned ? undefined : 'false' }, true)}>Without an owner only</Menu.CheckboxItem>
      </Menu.Dropdown>
    </Menu>
  );
}

function ColumnMenu() {
  const [search, change] = useAddress();
  const shown = columnsOf(search.columns).map(({ key }) => key);
  const toggle = (key: string) => {
    const next = shown.includes(key) ? shown.filter((other) => other !== key) : [...shown, key];
    change({ columns: COLUMNS.map((column) => column.key).filter((other) => next.includes(other)).join(',') });
  };
  return (
    <Menu position="bottom-end" closeOnItemClick={false} width={200}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconColumns3 size={16} />} className={css.wideOnly}>
          Columns
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {COLUMNS.filter(({ key }) => key !== 'names').map(({ key, label }) => (
          <Menu.CheckboxItem key={key} checked={shown.includes(key)} onChange={() => toggle(key)}>
            {label}
          </Menu.CheckboxItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

