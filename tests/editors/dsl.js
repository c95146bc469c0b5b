// The words that a `grammar.js` is written in: each makes the piece of `grammar.json` that tree-sitter documents for it.

class RustRegex {
  constructor(value) {
    this.value = value;
  }
}

const rule = value => {
  if (typeof value === 'string') return value === '' ? blank() : { type: 'STRING', value };
  if (value instanceof RustRegex) return { type: 'PATTERN', value: value.value };
  if (value instanceof RegExp) return { type: 'PATTERN', value: value.source };
  if (value && typeof value.type === 'string') return value;
  throw new Error(`no rule: ${JSON.stringify(value)}`);
};
const content = (type, value) => ({ type, content: rule(value) });
const leveled = type => (...args) => {
  const [value, inner] = args.length === 1 ? [0, args[0]] : args;
  return { type, value, content: rule(inner) };
};

const blank = () => ({ type: 'BLANK' });
const seq = (...members) => ({ type: 'SEQ', members: members.map(rule) });
const choice = (...members) => ({ type: 'CHOICE', members: members.map(rule) });
const optional = value => choice(value, blank());
const repeat = value => content('REPEAT', value);
const repeat1 = value => content('REPEAT1', value);
const field = (name, value) => ({ type: 'FIELD', name, content: rule(value) });
const token = Object.assign(value => content('TOKEN', value), {
  immediate: value => content('IMMEDIATE_TOKEN', value),
});
const prec = Object.assign(leveled('PREC'), {
  left: leveled('PREC_LEFT'),
  right: leveled('PREC_RIGHT'),
  dynamic: leveled('PREC_DYNAMIC'),
});
const alias = (value, as) => ({
  type: 'ALIAS',
  content: rule(value),
  named: typeof as !== 'string',
  value: typeof as === 'string' ? as : as.name,
});

const $ = new Proxy({}, { get: (_, name) => ({ type: 'SYMBOL', name }) });

const grammar = given => {
  const rules = {};
  for (const name of Object.keys(given.rules)) rules[name] = rule(given.rules[name]($));
  return {
    $schema: 'https://tree-sitter.github.io/tree-sitter/assets/schemas/grammar.schema.json',
    name: given.name,
    word: given.word($).name,
    rules,
    extras: given.extras($).map(rule),
    conflicts: given.conflicts($).map(names => names.map(symbol => symbol.name)),
    precedences: [],
    externals: given.externals($).map(rule),
    inline: [],
    supertypes: [],
    reserved: {},
  };
};

const module = {};
