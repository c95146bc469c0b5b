/**
 * The syntax of `.deploy` for editors. `grammar/deploy.pest` is the one syntax; a test compares the two on every example.
 *
 * Words of the language are words only where the parser of tree-sitter can go on with them, so names that look like them
 * stay names. Where both could stand, `_soft_name` makes a name of the word, and gives way to the word.
 *
 * The scanner (src/scanner.c) says where a statement begins and ends, because that depends on columns.
 */

const PREC = {
  soft_name: -1,
  title: 1,
  or: 2,
  and: 3,
  not: 4,
  compare: 5,
  range: 6,
  add: 7,
  multiply: 8,
  prefix: 9,
  postfix: 10,
};

const sep1 = (rule, separator) => seq(rule, repeat(seq(separator, rule)));
const listed = rule => optional(seq(sep1(rule, ','), optional(',')));

const IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';
const DATE = '\\d{4}-\\d{2}-\\d{2}';
const TIME = '\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?';
const ZONE = '(Z|[+-]\\d{2}:\\d{2})';

module.exports = grammar({
  name: 'deploy',

  externals: $ => [
    $._begin, // before the first letter of a statement or an entry
    $._end, // behind a statement
    $._entry_end, // behind `key: value`
    $.unclosed, // before an item or a statement, where a bracket is missing
    $.missing, // there, too, where a value is missing
    $._recovering, // never used by a rule, so it is only asked for after an error
  ],

  extras: $ => [/[ \t\r\n\f\uFEFF]/, $.comment],

  word: $ => $.identifier,

  conflicts: $ => [
    [$.references], // `ref A-1, B-2` or `=> notify room, rollback`
    [$.type], // `x as bytes < y` or `x as list<string>`
  ],

  rules: {
    source_file: $ => repeat(seq($._begin, $._item, $._end)),

    comment: _ => token(seq('//', /[^\n]*/)),

    // Items

    _item: $ => choice(
      $.version, $.plan, $.input, $.order, $.phase, $.watch, $.rollback, $.handler, $.define, $.threshold, $.metric,
      $.role, $.provider, $.scenario, $.test, $.invariant, $.let,
    ),

    version: $ => seq('deploy', alias($._version_number, $.number)),
    _version_number: _ => /-?\d+(\.\d+)*/,

    plan: $ => seq('plan', $._declared, optional($._title), $.block),
    input: $ => seq('input', $._declared, ':', $.type, optional(seq('=', $._expression)), optional('place')),

    order: $ => seq(
      'order',
      optional(seq(optional($._declared), repeat($._title_or_references), '=')),
      $.chain,
    ),
    chain: $ => seq($._group, repeat1(seq('->', $._group))),
    _group: $ => choice($.identifier, $.side_by_side),
    side_by_side: $ => seq('[', sep1($.identifier, ','), optional(','), ']'),

    phase: $ => seq(
      'phase',
      $._declared,
      repeat(choice($._title_or_references, $.after, $.at_start)),
      $.block,
    ),
    at_start: _ => seq('at', 'start'),

    watch: $ => seq('watch', optional($._declared), repeat(choice($._title_or_references, $.during)), $.block),
    rollback: $ => seq('rollback', repeat(choice($.during, $.within)), $.block),
    during: $ => seq('during', $.identifier, optional(seq('..', $.identifier))),

    handler: $ => seq('on', choice('start', 'success', 'rolled_back', 'rollback_incomplete'), $.notify),

    define: $ => seq('define', $._declared, $.parameters, $.block),
    parameters: $ => seq('(', listed($.parameter), ')'),
    parameter: $ => seq($._declared, ':', $.type),

    threshold: $ => seq('threshold', $._declared, $.block),

    metric: $ => seq(
      'metric', $._declared, ':', $.type, '=', $._expression,
      repeat(choice($.absent, $.better)),
    ),
    absent: $ => seq('absent', 'as', $._expression),
    better: _ => seq(choice('lower', 'higher'), 'is', 'better'),

    role: $ => seq('role', $._declared, optional($._title), optional(seq('=', $._expression))),
    provider: $ => seq('provider', $._declared, '=', field('kind', $.identifier), field('settings', $.map)),
    scenario: $ => seq('scenario', optional($._title), $.block),
    test: $ => seq('test', $._title, $.block),
    invariant: $ => seq('invariant', repeat(choice($._title, $.references)), $.block),

    // Heads and clauses

    _declared: $ => field('name', $.identifier),
    _title: $ => prec(PREC.title, field('title', $.string)),
    _title_or_references: $ => choice($._title, $.references),
    references: $ => seq('ref', sep1($._reference, ',')),
    _reference: $ => choice($.string, alias($.identifier, $.reference), alias($._code, $.reference)),
    // A word that is no identifier.
    _code: _ => token(choice(/[A-Za-z_][A-Za-z0-9_]*[.-][A-Za-z0-9_.-]*/, /[0-9][A-Za-z0-9_.-]*/)),

    _part: $ => choice($._title_or_references, $._clause),
    _clause: $ => choice(
      $.within, $.by, $.timeout, $.undo, $.expires, $.keep, $.irreversible, $.lasting, $.open_window, $.pods, $.after,
      $.owner, $.file, $.at_most_once, $.on_policy,
    ),
    within: $ => seq('within', $._expression),
    timeout: $ => seq('timeout', $._expression),
    expires: $ => seq('expires', $._expression),
    lasting: $ => seq('for', $._expression),
    open_window: $ => seq('window', $._expression),
    pods: $ => seq('pods', $._expression),
    owner: $ => seq('owner', $.identifier),
    file: $ => seq('file', $.string),
    keep: $ => seq('keep', $.string),
    irreversible: $ => seq('irreversible', $.string),
    at_most_once: _ => 'at_most_once',
    after: $ => prec.right(seq('after', sep1($.identifier, ','))),
    by: $ => seq('by', choice(
      seq(choice($.number, 'all'), 'of', $.roles),
      $.identifier,
      alias('all', $.identifier),
    )),
    roles: $ => seq('(', sep1($.identifier, ','), optional(','), ')'),
    undo: $ => prec.right(seq('undo', repeat($._title_or_references), optional($._expression), optional($.timeout))),

    on_policy: $ => seq('on', sep1($._cause, ','), $._policies),
    _cause: $ => choice(seq('fail', optional($.counting)), 'error', 'inconclusive', seq('no', 'data', optional($.lasting))),
    counting: $ => seq($.number, choice(seq('in', 'a', 'row'), seq('in', 'total'), seq('of', 'last', $.number))),
    _policies: $ => prec.right(sep1($._policy, 'then')),
    _policy: $ => choice('stop', 'rollback', 'warn', $.pause, $.extend),
    pause: $ => seq('pause', optional($._up_to)),
    extend: $ => seq('extend', optional($._up_to)),
    _up_to: $ => seq('up', 'to', $._expression),

    // Statements

    block: $ => seq('{', repeat(seq($._begin, $._statement, $._end)), choice('}', $.unclosed)),

    _statement: $ => choice(
      $.check, $.verify, $.section, $.step, $.stage, $.canary, $.let, $.expect, $.hold, $.confirm, $.approve, $.notify,
      $.for, $.when, $.parallel, $.every, $.on_policy, $.no_data, $.always, $.at, $.kill, $.concurrent, $.freeze, $.setting, $.rule, $.line, $.answer,
      $.plain,
    ),

    section: $ => seq('section', optional($._declared), repeat($._part), $.block),
    check: $ => seq('check', $._judged),
    verify: $ => seq('verify', $._judged),
    _judged: $ => seq(
      optional($._declared),
      repeat($._part),
      choice(
        seq('expect', $._expression, repeat(choice($.scope, $._part))),
        $.block,
        seq('=', $._expression, repeat($._part)),
      ),
    ),
    expect: $ => seq('expect', choice(
      seq('always', $._expression, optional($._promise)),
      seq($._expression, choice($._promise, repeat(choice($.scope, $.lasting)))),
    )),
    _promise: $ => choice($.before, $.within_of, $.as_at_start),
    before: $ => seq('before', $._expression),
    within_of: $ => seq('within', $._expression, 'of', $._expression),
    as_at_start: _ => seq('at', 'start'),
    scope: $ => seq('on', $.identifier),
    step: $ => seq(
      'step', optional($._declared), repeat($._part), '=', $._expression, repeat($._part), optional($.block),
    ),
    canary: $ => seq('canary', field('release', $.identifier), repeat($._part), $.block),
    stage: $ => seq(
      'stage', $._expression, optional($.tolerance), optional($._declared), repeat($._part), $.block,
    ),
    tolerance: $ => seq('±', $._expression),
    confirm: $ => seq('confirm', optional($._declared), repeat($._part), optional($.block)),
    approve: $ => seq('approve', optional($._declared), repeat($._part)),
    hold: $ => seq('hold', $._expression, optional($._declared), repeat($._title_or_references)),
    every: $ => seq(
      'every', $._expression, optional($.lasting), optional($._declared), repeat($._title_or_references), $.block,
    ),
    notify: $ => prec.right(seq('notify', field('channel', $.identifier), repeat($._part))),
    parallel: $ => seq('parallel', $.block),
    for: $ => seq('for', $._declared, 'in', $._expression, optional($._up_to), $.block),
    let: $ => seq('let', $._declared, '=', $._expression),
    when: $ => seq('when', $._expression, choice($.block, seq(optional($.lasting), $._actions))),
    // A rule of a watch with a label or a title; without either it is a `when`.
    rule: $ => choice(
      seq(field('label', $._any_name), repeat($._title_or_references), $._rule_when),
      seq(repeat1($._title_or_references), $._rule_when),
    ),
    _rule_when: $ => seq('when', $._expression, optional($.lasting), $._actions),
    // A line of a `confirm`.
    line: $ => repeat1($._title_or_references),
    _actions: $ => seq('=>', $._action, repeat($._next_action)),
    // Rather one more action than one more reference of the last.
    _next_action: $ => prec.dynamic(1, seq(',', $._action)),
    _action: $ => choice('rollback', $.notify, alias($._pause_then, $.pause)),
    _pause_then: $ => prec.right(seq('pause', optional($._up_to), optional(seq('then', $._policies)))),
    no_data: $ => seq('no', 'data', $.lasting, $._actions),
    always: $ => seq('always', $.block),
    at: $ => seq('at', $._expression, optional($.lasting), $.block),
    concurrent: $ => prec.right(seq(
      'concurrent', 'runs', choice('reject', seq(choice('queue', 'replace'), optional($._up_to))),
    )),
    freeze: $ => seq('freeze', $._expression, repeat($._title_or_references)),
    setting: $ => seq(
      choice('window', 'windows', 'deadline', 'samples', 'confidence', 'zone', 'expires', 'like', seq('sample', 'every')),
      $._expression,
    ),
    answer: $ => seq(
      field('person', $._any_name),
      choice('approves', 'rejects', 'confirms', 'declines', 'aborts'),
      optional(choice(alias($.identifier, $.reference), alias($._code, $.reference))),
      optional(seq('after', $._expression)),
    ),
    kill: $ => seq('kill', optional($._applying), optional($.lasting)),
    plain: $ => choice(
      seq('undo', $._expression, $.trouble, optional($.lasting)),
      seq($._expression, optional(choice($._given, seq($.trouble, optional($.lasting))))),
    ),
    _given: $ => seq('=', $._expression, optional($.sampled), optional($.lasting)),
    sampled: $ => seq('every', $._expression),
    trouble: $ => choice(
      seq('fails', $._applying),
      seq(
        choice('is', 'stays'),
        choice(
          'down', 'silent', 'unknown', 'met', 'unmet', 'blind', 'nonsense', 'unreachable', 'refused', 'late', 'foreign', 'forged',
          'doubled', 'skipped', 'lost',
        ),
        optional($._applying),
      ),
    ),
    _applying: _ => seq(choice('before', 'after'), 'applying'),

    // Expressions

    _expression: $ => choice($.binary_expression, $.against, $.not_expression, $.negation, $.aggregate, $._operand),

    not_expression: $ => prec(PREC.not, seq('not', $._expression)),
    negation: $ => prec(PREC.prefix, seq('-', $._expression)),
    aggregate: $ => prec(PREC.prefix, seq(
      choice('any', 'all', 'max', 'min', 'sum', 'avg', 'count'),
      choice($._operand, $.aggregate),
    )),

    binary_expression: $ => choice(...[
      [PREC.or, 'or'],
      [PREC.and, 'and'],
      [PREC.compare, choice('==', '!=', '<', '<=', '>', '>=')],
      [PREC.range, '..'],
      [PREC.add, choice('+', '-')],
      [PREC.multiply, choice('*', '/')],
    ].map(([level, operator]) => prec.left(level, seq(
      field('left', $._expression),
      field('operator', operator),
      field('right', $._expression),
    )))),

    // A comparison with a baseline.
    against: $ => prec.left(PREC.compare, seq(
      field('measured', $._expression),
      choice(seq('no', 'worse', 'than'), 'near'),
      field('baseline', $._operand),
      'by',
      field('margin', $._expression),
    )),

    _operand: $ => choice(
      $._any_name, $.number, $.quantity, $.moment, $.boolean, $.version_number, $.secret, $.string,
      $.raw_string, $.list, $.map, $.parenthesized, $.access, $.call, $.typed, $.measured, $.missing,
    ),

    _any_name: $ => choice($.identifier, $._soft_name),
    _soft_name: $ => prec(PREC.soft_name, choice(...[
      'check', 'section', 'step', 'stage', 'canary', 'let', 'hold', 'confirm', 'approve', 'notify', 'parallel', 'every',
      'verify', 'no', 'always', 'at', 'window', 'windows', 'deadline', 'samples', 'sample', 'confidence', 'zone', 'like', 'kill',
      'concurrent', 'freeze',
      'secret',
      'any', 'all', 'max', 'min', 'sum', 'avg', 'count', 'irreversible', 'owner', 'after', 'pods', 'file', 'at_most_once',
    ].map(word => alias(word, $.identifier)))),

    parenthesized: $ => seq('(', $._expression, choice(')', $.unclosed)),
    list: $ => seq('[', listed($._expression), choice(']', $.unclosed)),
    map: $ => seq('{', repeat(seq($._begin, $.entry, $._entry_end, optional(','))), '}'),
    entry: $ => seq(field('key', $.identifier), ':', field('value', $._expression)),

    access: $ => prec(PREC.postfix, seq($._operand, '.', field('field', $.identifier))),
    call: $ => prec(PREC.postfix, seq(field('function', $._operand), field('arguments', $.arguments))),
    arguments: $ => seq('(', listed($._argument), choice(')', $.unclosed)),
    _argument: $ => choice($._expression, $.labelled),
    labelled: $ => seq(field('label', $._any_name), ':', $._expression),
    typed: $ => prec.right(PREC.postfix, seq($._operand, 'as', $.type, optional(seq('in', $.unit)))),
    measured: $ => prec(PREC.postfix, seq($._operand, 'in', $.unit)),

    type: $ => seq(field('name', $.identifier), optional(seq('<', sep1($.type, ','), '>'))),

    // With the unit next to it; `cores` alone takes a blank before it.
    quantity: $ => seq($.number, alias(choice('core', 'cores'), $.unit)),
    number: _ => token(new RustRegex(
      `\\+?\\d+(\\.\\d+)?((%|${IDENTIFIER})(/${IDENTIFIER})?|/${IDENTIFIER})?`,
    )),
    unit: $ => choice($.identifier, $._unit),
    _unit: _ => token(new RustRegex(`(1|%)(/${IDENTIFIER})?|${IDENTIFIER}/${IDENTIFIER}`)),
    moment: _ => token(new RustRegex(`${DATE}[T ]${TIME}${ZONE}?|${DATE}Z?|${TIME}`)),
    boolean: _ => choice('true', 'false'),
    version_number: _ => token(/v\d+(\.\d+)*([-+][A-Za-z0-9_][A-Za-z0-9_.-]*)?/),
    secret: $ => seq('secret', '(', 'env', $.string, ')'),

    string: $ => seq('"', repeat(choice($.string_content, $.escape, $.interpolation)), token.immediate('"')),
    // Before a comment: `//` in a string is none.
    string_content: _ => token.immediate(prec(1, choice(/[^"\\$\n]+/, '$'))),
    escape: _ => token.immediate(prec(1, /\\[^\n]/)),
    interpolation: $ => seq(token.immediate(prec(2, '${')), $._expression, '}'),
    raw_string: $ => seq('`', optional($.raw_content), token.immediate('`')),
    raw_content: _ => token.immediate(prec(1, /[^`]+/)),

    identifier: _ => new RustRegex(IDENTIFIER),
  },
});
