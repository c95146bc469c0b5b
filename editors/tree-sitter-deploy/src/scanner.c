// Where a statement begins and ends: at the end of its line, unless the next line begins further right than the statement
// did. (A bracket or an operator that is open there carries on by itself: the grammar does not ask for an end.)
//
// The state is the column of each statement that is open. It is bounded, so that it always fits into the buffer that
// tree-sitter keeps it in; statements that stand deeper share the last column.

#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"

#include <string.h>

enum Token { BEGIN, END, ENTRY_END, UNCLOSED, MISSING, RECOVERING };

#define DEPTH_MAX 500
#define COLUMN_MAX UINT16_MAX
#define TAB_COLUMNS 4
// Lines of comments that are looked past in search of the next statement. If there are more, the end comes behind some of
// them: looking past all of them again at each would take time by the square of their number.
#define COMMENTS_MAX 16

typedef struct {
  uint32_t depth;
  uint16_t columns[DEPTH_MAX];
} Statements;

_Static_assert(sizeof(Statements) <= TREE_SITTER_SERIALIZATION_BUFFER_SIZE, "the state does not fit");

static uint32_t kept(const Statements *open) { return open->depth < DEPTH_MAX ? open->depth : DEPTH_MAX; }

static void push(Statements *open, uint32_t column) {
  if (open->depth < DEPTH_MAX) open->columns[open->depth] = column < COLUMN_MAX ? (uint16_t)column : COLUMN_MAX;
  if (open->depth < UINT32_MAX) open->depth++;
}

static void pop(Statements *open) {
  if (open->depth > 0) open->depth--;
}

static uint32_t innermost(const Statements *open) {
  uint32_t count = kept(open);
  return count > 0 ? open->columns[count - 1] : 0;
}

static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == 0xFEFF; }

static uint32_t next_column(uint32_t column, int32_t c) {
  return c == '\t' ? (column / TAB_COLUMNS + 1) * TAB_COLUMNS : column + 1;
}

static bool is_word(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static const char *const ITEMS[] = {"plan",   "input",     "order",  "phase", "watch",    "rollback",
                                    "define", "threshold", "metric", "role",  "provider", "scenario",
                                    "test",   NULL};
static const char *const STATEMENTS[] = {"check",   "section", "step",   "stage", "canary", "let",      "expect", "hold",   "confirm",
                                         "approve", "notify",  "for",    "when",  "parallel", "every", "verify", "on",     NULL};

static bool is_among(const char *word, const char *const *words) {
  while (*words && strcmp(word, *words) != 0) words++;
  return *words;
}

// Whether an item (at the margin) or a statement follows: its word, and behind it what makes sure that it begins one.
static bool begins(TSLexer *lexer, bool item, bool statement) {
  char word[16];
  size_t length = 0;
  while (is_word(lexer->lookahead) && length < sizeof(word) - 1) {
    word[length++] = (char)lexer->lookahead;
    lexer->advance(lexer, false);
  }
  word[length] = '\0';
  if (lexer->lookahead != ' ' && lexer->lookahead != '\t') return false;
  while (lexer->lookahead == ' ' || lexer->lookahead == '\t') lexer->advance(lexer, false);
  int32_t c = lexer->lookahead;
  if (!is_word(c) && c != '"' && c != '{' && c != '[') return false;
  bool is_digit = c >= '0' && c <= '9';
  return (item && !is_digit && is_among(word, ITEMS)) || (statement && is_among(word, STATEMENTS));
}

// Both tokens take the blanks before what they stand for. So no token without length can follow another for ever.
static bool scan_begin(Statements *open, TSLexer *lexer, bool in_block) {
  bool new_line = false;
  uint32_t column = 0;
  while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') {
    new_line = new_line || lexer->lookahead == '\n';
    column = lexer->lookahead == '\n' ? 0 : next_column(column, lexer->lookahead);
    lexer->advance(lexer, false);
  }
  // A `/` begins a comment, and a `,` stands between entries.
  int32_t c = lexer->lookahead;
  bool at_end = lexer->eof(lexer);
  if ((at_end && !in_block) || c == '}' || c == '/' || c == ',') return false;
  lexer->mark_end(lexer);
  if (!new_line) column = lexer->get_column(lexer);
  if (in_block && (at_end || (column == 0 && begins(lexer, true, false)))) {
    lexer->result_symbol = UNCLOSED;
    return true;
  }
  push(open, column);
  lexer->result_symbol = BEGIN;
  return true;
}

typedef enum { GOES_ON, ENDS_HERE, ENDS_AT_LINE } End;

// Looks ahead; the caller has marked the end of the token.
static End find_end(const Statements *open, TSLexer *lexer, bool is_entry) {
  bool new_line = false;
  uint32_t column = 0;
  unsigned comments = 0;
  for (;;) {
    int32_t c = lexer->lookahead;
    if (lexer->eof(lexer) || c == '}' || (c == ',' && is_entry && !new_line)) return ENDS_HERE;
    if (c == '\n') {
      new_line = true;
      column = 0;
      lexer->advance(lexer, false);
    } else if (is_blank(c)) {
      column = next_column(column, c);
      lexer->advance(lexer, false);
    } else if (c == '/') {
      lexer->advance(lexer, false);
      if (lexer->lookahead != '/') return new_line && column <= innermost(open) ? ENDS_AT_LINE : GOES_ON;
      if (++comments > COMMENTS_MAX) return GOES_ON;
      while (lexer->lookahead != '\n' && !lexer->eof(lexer)) lexer->advance(lexer, false);
    } else {
      // Nothing stands between a missing `}` and the item behind it.
      if (!new_line && column == 0) new_line = lexer->get_column(lexer) == 0;
      return new_line && column <= innermost(open) ? ENDS_AT_LINE : GOES_ON;
    }
  }
}

static bool scan_end(Statements *open, TSLexer *lexer, enum Token token) {
  lexer->mark_end(lexer);
  if (find_end(open, lexer, token == ENTRY_END) == GOES_ON) return false;
  pop(open);
  lexer->result_symbol = token;
  return true;
}

// Inside of brackets, and behind an operator: a line that begins a statement says that something is missing above it.
static bool scan_missing(const Statements *open, TSLexer *lexer, enum Token token) {
  bool new_line = false;
  uint32_t column = 0;
  lexer->mark_end(lexer);
  while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') {
    new_line = new_line || lexer->lookahead == '\n';
    column = lexer->lookahead == '\n' ? 0 : next_column(column, lexer->lookahead);
    lexer->advance(lexer, false);
  }
  if (!new_line || column > innermost(open)) return false;
  if (lexer->lookahead != '}' && !begins(lexer, column == 0, true)) return false;
  lexer->result_symbol = token;
  return true;
}

// After an error every token is asked for. The line breaks themselves are taken, so that each try moves on.
static bool scan_recovering(Statements *open, TSLexer *lexer) {
  uint32_t column = 0;
  bool new_line = false;
  while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') {
    bool is_break = lexer->lookahead == '\n';
    column = is_break ? 0 : next_column(column, lexer->lookahead);
    lexer->advance(lexer, !new_line && !is_break);
    if (is_break) lexer->mark_end(lexer);
    new_line = new_line || is_break;
  }
  if (!new_line || lexer->lookahead == '/' || lexer->eof(lexer)) return false;
  if (column > innermost(open) && lexer->lookahead != '}') return false;
  pop(open);
  lexer->result_symbol = END;
  return true;
}

void *tree_sitter_deploy_external_scanner_create(void) { return ts_calloc(1, sizeof(Statements)); }

void tree_sitter_deploy_external_scanner_destroy(void *payload) { ts_free(payload); }

unsigned tree_sitter_deploy_external_scanner_serialize(void *payload, char *buffer) {
  const Statements *open = payload;
  unsigned columns = kept(open) * sizeof(uint16_t);
  memcpy(buffer, &open->depth, sizeof(open->depth));
  memcpy(buffer + sizeof(open->depth), open->columns, columns);
  return sizeof(open->depth) + columns;
}

void tree_sitter_deploy_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  Statements *open = payload;
  open->depth = 0;
  if (length < sizeof(open->depth)) return;
  memcpy(&open->depth, buffer, sizeof(open->depth));
  memcpy(open->columns, buffer + sizeof(open->depth), length - sizeof(open->depth));
}

bool tree_sitter_deploy_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid_symbols) {
  Statements *open = payload;
  if (valid_symbols[RECOVERING]) return scan_recovering(open, lexer);
  if (valid_symbols[BEGIN]) return scan_begin(open, lexer, valid_symbols[UNCLOSED]);
  if (valid_symbols[END]) return scan_end(open, lexer, END);
  if (valid_symbols[ENTRY_END]) return scan_end(open, lexer, ENTRY_END);
  if (valid_symbols[UNCLOSED]) return scan_missing(open, lexer, UNCLOSED);
  if (valid_symbols[MISSING]) return scan_missing(open, lexer, MISSING);
  return false;
}
