"""The languages that adapters are indexed by: ISO 639-1 codes, ISO 639-3 where there is no shorter one."""

from typing import Final

_TABLE = """
af Afrikaans|am Amharic|ar Arabic|as Assamese|ay Aymara|az Azerbaijani|ba Bashkir|be Belarusian|bg Bulgarian
bm Bambara|bn Bengali|bo Tibetan|br Breton|bs Bosnian|ca Catalan|ce Chechen|co Corsican|cs Czech|cv Chuvash
cy Welsh|da Danish|de German|dv Divehi|dz Dzongkha|ee Ewe|el Greek|en English|eo Esperanto|es Spanish
et Estonian|eu Basque|fa Persian|ff Fulah|fi Finnish|fo Faroese|fr French|fy Western Frisian|ga Irish
gd Scottish Gaelic|gl Galician|gn Guarani|gu Gujarati|gv Manx|ha Hausa|he Hebrew|hi Hindi|hr Croatian
ht Haitian Creole|hu Hungarian|hy Armenian|ia Interlingua|id Indonesian|ig Igbo|is Icelandic|it Italian
iu Inuktitut|ja Japanese|jv Javanese|ka Georgian|kg Kongo|ki Kikuyu|kk Kazakh|kl Kalaallisut|km Khmer
kn Kannada|ko Korean|ku Kurdish|kw Cornish|ky Kyrgyz|la Latin|lb Luxembourgish|lg Ganda|ln Lingala|lo Lao
lt Lithuanian|lv Latvian|mg Malagasy|mi Maori|mk Macedonian|ml Malayalam|mn Mongolian|mr Marathi|ms Malay
mt Maltese|my Burmese|nb Norwegian Bokmål|ne Nepali|nl Dutch|nn Norwegian Nynorsk|no Norwegian|ny Chichewa
oc Occitan|om Oromo|or Odia|os Ossetian|pa Punjabi|pl Polish|ps Pashto|pt Portuguese|qu Quechua|rm Romansh
rn Kirundi|ro Romanian|ru Russian|rw Kinyarwanda|sa Sanskrit|sc Sardinian|sd Sindhi|se Northern Sami
si Sinhala|sk Slovak|sl Slovenian|sm Samoan|sn Shona|so Somali|sq Albanian|sr Serbian|st Southern Sotho
su Sundanese|sv Swedish|sw Swahili|ta Tamil|te Telugu|tg Tajik|th Thai|ti Tigrinya|tk Turkmen|tl Tagalog
tn Tswana|to Tongan|tr Turkish|ts Tsonga|tt Tatar|tw Twi|ug Uyghur|uk Ukrainian|ur Urdu|uz Uzbek
vi Vietnamese|wo Wolof|xh Xhosa|yi Yiddish|yo Yoruba|yue Cantonese|zh Chinese|zu Zulu|haw Hawaiian
arz Egyptian Arabic|swc Congo Swahili|gsw Swiss German|hsb Upper Sorbian|cdo Min Dong Chinese|ceb Cebuano
ilo Iloko|kmr Northern Kurdish|mhr Meadow Mari|mul Multiple languages
"""

# code: English name
LANGUAGES: Final[dict[str, str]] = {
    code: name
    for line in _TABLE.strip().splitlines()
    for code, _, name in (cell.partition(" ") for cell in line.split("|"))
}
