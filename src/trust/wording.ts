// Kinds of wording, as they stand in plain words (`plain-words.ts`). English only. Every gap is bounded, so that reading
// takes time in proportion to the text, whatever it holds.

/** Up to so many words in between. */
const gap = (most: number): string => `(?:[^ ]{1,40} ){0,${most}}?`;
const anyOf = (...alternatives: string[]): RegExp => new RegExp(alternatives.join('|'), 'g');
const verbs = (stems: string): string => `\\b(?:${stems})(?:e|es|s|ed|d|ing|y|ies|ied|'d)?\\b`;

const PERSON = '(?:users?|them|anyone|anybody|person|humans?|people|owner)';

export const WORDING = {
  overriding: anyOf(
    verbs('ignor|disregard|forget|forgetting|overrid|overrul|bypass|skip|skipp|abandon|circumvent|violat'),
    `\\b(?:not|never|stop|without) (?:follow|obey|apply|comply|respect)\\w*`,
    '\\b(?:void|no longer (?:valid|apply|applies))\\b',
  ),
  guidance: anyOf(
    '\\b(?:previous|prior|earlier|preceding|above|all|any|other|existing|safety|system|your|its|hidden)[ -]' +
      `${gap(2)}(?:instruction|prompt|rule|polic|constraint|guideline|guardrail|directive|restriction|safeguard)\\w*`,
    '\\b(?:safety|security) (?:polic|check|rule|guideline|measure)\\w*',
    '\\b(?:actual|original|real) (?:request|question|intent|instruction)',
  ),
  speaker: anyOf(
    '<[|/]{0,2} ?(?:im_start|im_end|system|assistant|start_header_id|important|secret|hidden|admin|instructions?)\\b',
    '\\[/?(?:inst|sys|system|assistant)\\b|\\{\\{ ?(?:system|assistant)\\b|#{2,} ?(?:new )?(?:system|assistant)\\b',
    '\\bnew (?:system|developer) (?:message|prompt|instructions?)\\b',
    '\\b(?:note|message|instructions?|attention)s? (?:to|for) (?:the |all |any )?(?:assistant|ai|model|llm|agent)s?\\b',
  ),
  persona: anyOf(
    '\\byou are now\\b|\\byou (?:have|are under) no (?:more )?(?:restriction|limit|rule)s?\\b|\\byou must (?:now )?comply\\b',
    '\\b(?:developer|debug|god|jailbreak|unrestricted) mode\\b',
  ),
  secretFile: anyOf(
    '\\.ssh\\b|\\bid_(?:rsa|ed25519|ecdsa|dsa)\\b|\\.aws/|\\.kube/|\\.cursor/|\\.gnupg\\b|\\bmcp\\.json\\b|claude_desktop_config',
    '(?<!\\w)\\.(?:env|npmrc|netrc|pypirc|pgpass|git-credentials|bash_history|zsh_history)\\b|\\bwallet\\.dat\\b',
    '/etc/(?:passwd|shadow|sudoers)\\b|\\b(?:ssh|private) keys?\\b|\\bkeychain\\b',
  ),
  /** What only its owner should have, spoken of as somebody's, or as all there is of it. */
  belonging: anyOf(
    "\\b(?:user'?s?|their|your|any|every|entire|whole|full|complete|browser|previous)(?: [^ ]{1,20}){0,2} " +
      '(?:api[ -]keys?|tokens?|passwords?|credentials?|secrets?|environment variables?|cookies?|clipboard|home directory|' +
      '(?:conversation|chat|message|browsing|command)s?(?: histor\\w+)?|histor(?:y|ies)|system (?:prompt|instructions))\\b',
    '\\b(?:tokens?|passwords?|credentials?|secrets?|cookies|keys) (?:that )?(?:you (?:can|have|find|know|see)|found in)\\b',
    '\\b(?:output of|run) .?(?:env|printenv)\\b|\\bbrowser cookies\\b|\\blocation of the user\\b',
  ),
  reading: anyOf(
    verbs('read|open|cat|load|fetch|access|retriev|collect|gather|grab|extract|dump|copi|copy|call|locat'),
  ),
  handing: anyOf(
    verbs(
      'send|pass|includ|append|embedd|embed|upload|forward|attach|post|transmit|insert|put|add|return|output|share|' +
        'submit|copi|copy|redirect|encod|plac|provid|suppl|hand|mail|print|bcc|belong',
    ),
  ),
  /** Where nothing of the kind belongs. */
  place: anyOf(
    '\\b(?:argument|parameter|field|metadata|sidecar|context|title|body|header|endpoint|webhook|output|response)s?\\b',
    "https?://|\\b[\\w.+-]{1,64}@[\\w-]{1,64}\\.|'[\\w-]{1,40}'|`[\\w-]{1,40}`",
  ),
  taking: anyOf('\\bexfiltrat\\w*', verbs('steal|siphon|harvest')),
  concealing: anyOf(
    `\\b(?:do not|don't|never|must not|should not|shouldn't|no need to) ${gap(3)}` +
      `(?:tell|mention|inform|notify|reveal|disclose|alert|warn|bring)\\b ${gap(6)}(?:${PERSON}|these instructions?|this)\\b`,
    `\\bwithout (?:ever )?(?:telling|mentioning|informing|notifying|alerting|warning) ${gap(1)}(?:${PERSON}|this|it)\\b`,
    `\\bwithout ${gap(1)}${PERSON}(?:'s)? (?:knowledge|knowing|noticing|awareness)\\b`,
    `\\b${PERSON} (?:must|should|need|shall|may|will) ?(?:not|never) (?:be told|be informed|know|learn|notice|find out)\\b`,
    `\\b(?:keep|hide) (?:this|it|that|these) ${gap(3)}from ${gap(1)}${PERSON}\\b|\\blet ${gap(1)}${PERSON} believe\\b`,
    '\\bsay nothing\\b|\\b(?:hidden|secret|covert) (?:directive|instruction|command|step|order|task)s?\\b',
  ),
  stealth: anyOf('\\b(?:silently|secretly|covertly|stealthily|surreptitiously|discreetly|unnoticed)\\b'),
  obeying: anyOf(verbs('obey|follow|treat|execut|carr|trust') + '|\\b(?:comply with|act on)\\b'),
  /** Orders that come with what a tool reads. */
  foreignOrder: anyOf(
    `\\b(?:instruction|command|directive|order)s? (?:that )?${gap(3)}` +
      '(?:embedded|found|contained|inside|within|appear|present|written) ' +
      `${gap(3)}(?:page|content|document|file|feed|item|message|result|text|website|email)s?\\b`,
  ),
  otherTool: anyOf(
    '\\b(?:the|any|every|other) [`\'"]?[a-z][\\w-]{2,60}[`\'"]? (?:tool|function|command)s?\\b',
    '\\b(?:tool|function) [`\'"][a-z][\\w-]{2,60}[`\'"]|(?<![\\w`\'"])[a-z][a-z0-9]*(?:_[a-z0-9]+){1,8}\\b',
  ),
  changing: anyOf(
    verbs(
      'modif|chang|alter|overrid|overwrit|supersed|replac|redirect|rerout|intercept|hijack|substitut|divert|rout|set',
    ),
    '\\bmust not be used\\b',
  ),
  conduct: anyOf(
    '\\b(?:behaviou?rs?|outputs?|results?|requests?|recipients?|destinations?|accounts?|calls?)\\b|. argument\\b',
    '\\beverything meant for it\\b',
  ),
  onCall: anyOf(
    `\\b(?:when|whenever|each time|every time|once|if) ${gap(5)}(?:is|are|gets?|being) (?:called|invoked|used|run|executed)\\b`,
  ),
  approval: anyOf(
    `\\b(?:once|after|until|upon|following) ${gap(5)}(?:approv|review|install|trust)(?:al|ed|ing|s)?\\b`,
    `\\bpost-approval\\b|\\bafter ${gap(2)}(?:days|weeks|calls|uses)\\b`,
  ),
  harm: anyOf(
    '\\barbitrary (?:shell |system )?(?:code|commands?)\\b|\\bexfiltrat\\w*|\\b(?:ssh|private) keys?\\b',
    "\\b(?:silently|secretly)\\b|\\b(?:of the user|user's)\\b",
  ),
  /** Text about such wording: a scanner's description, a manual's example. */
  speakingOf: anyOf(
    verbs('detect|scan|flag|identif|validat|prevent|block|redact|mask') +
      '|\\bsuch as\\b|\\bfor (?:example|instance)\\b|\\be\\.g\\b',
  ),
} as const satisfies Record<string, RegExp>;

export type Wording = keyof typeof WORDING;
