"""Names and texts of generated users: data only."""

# ruff: noqa: RUF001 -- looking like other characters is what some of these are here for

FIRST_NAMES = (
    "Anna", "Søren", "Zoë", "José", "Mette", "Lars", "Ingrid", "Åse", "Björn", "Chloé",
    "Dmitri", "Elif", "Fatima", "Giulia", "Hans", "Ivana", "Jürgen", "Kwame", "Léa", "Magnus",
    "Nadia", "Olga", "Pedro", "Quinn", "Rasmus", "Sofie", "Tomás", "Ursula", "Viggo", "Wanda",
    "Xenia", "Yusuf", "Zlatan", "Ada", "Bo", "Clara", "Dagny", "Emil", "Freja", "Gustav",
)  # fmt: skip
LAST_NAMES = (
    "Berg", "O'Brien", "Nørgaard", "van der Berg", "Smith-Jones", "Ångström", "García", "Kovač",
    "D'Angelo", "Møller", "Nakamura", "Østergård", "Petrov", "Quist", "Rossi", "Skov",
    "Þórsson", "Umarov", "Vestergaard", "Wójcik", "Yılmaz", "Žižek", "Adeyemi", "Bakker",
    "Çelik", "Dahl", "Eriksen", "Fischer", "Gupta", "Holm", "Ito", "Jensen", "Kim", "Lund",
    "Müller", "Nguyen", "Olsen", "Poulsen", "Riis", "St. John",
)  # fmt: skip
# What passwords are made of; each has one of the oddities in it.
ALPHABET = "abcdefghkmnpqrstuvwxyzABCDEFGHKLMNPQRSTUVWXYZ23456789!#$%&()*+,-./:;<=>?@[]^_{|}~ "
ODDITIES = ("\"", "'", "\\", "\\\"", "'\\'", "\\n", "\"\"")  # fmt: skip

PLAIN_WORDS = (
    "the", "and", "a", "to", "of", "in", "was", "it", "that", "with", "had", "from", "there",
    "upon", "morning", "window", "street", "coffee", "deploy", "friday", "monitoring", "alert",
    "dashboard", "I'm", "don't", "\"quoted\"", "fish & chips", "100%", "C:\\temp\\new", "#devops",
    "@everyone", "https://example.com/?a=1&b=2", "50/50", "3 < 5", "$5", "rain", "train", "bicycle",
    "nobody", "remembered", "yesterday", "release", "again", "finally",
)  # fmt: skip

# One tuple a script. Every word holds a character outside ASCII within its first twelve.
SCRIPTS = (
    ("blåbærgrød", "smørrebrød", "ærø", "øl", "hygge\u2026", "\u201crødgrød\u201d",
     "år", "på", "når"),
    ("café", "naïve", "déjà", "Straße", "müde", "¿qué?", "mañana", "coração",
     "\u2014", "it\u2019s"),
    ("καλημέρα", "κόσμε", "θάλασσα", "ήλιος", "ναι"),
    ("привет", "мир", "сегодня", "дождь", "кофе", "ёлка"),
    ("مرحبا", "بالعالم", "اليوم", "قهوة", "صباح"),
    ("שלום", "עולם", "בוקר", "קפה"),
    ("नमस्ते", "दुनिया", "आज", "चाय", "क्षत्रिय"),
    ("こんにちは", "世界", "今日は", "コーヒー", "ﾊﾝｶｸ"),
    ("你好", "世界", "今天", "咖啡", "𠮷野家", "監控"),
    ("안녕하세요", "세계", "오늘", "커피"),
    ("สวัสดี", "ชาวโลก", "วันนี้", "กาแฟ"),
    ("😀", "🚀", "👩\u200d💻", "🇩🇰", "👍🏽", "🏳️\u200d🌈", "𝒽𝑒𝓁𝓁𝑜", "🔥🔥", "☕"),
    ("e\u0301te\u0301", "n\u0303", "a\u030a\u0323",
     "Z\u0351\u036b\u0343a\u0328l\u0334g\u0321o\u0322", "o\u0308l"),
)  # fmt: skip
