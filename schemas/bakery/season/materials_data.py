"""The wrapping shelf: categories, materials, what is bought and what is cut from it."""

CATEGORIES = """
# category | subcategories
Ribbon     | Satin; Natural fibre
Paper      | Wrapping; Tissue; Filling
Stationery | Cards; Tags
Labels     | Decoration; Legal
"""

MATERIALS = """
# slug         | name                 | subcategory   | basis
satin-ribbon   | Satin ribbon         | Satin         | linear_cm
jute-twine     | Jute twine           | Natural fibre | linear_cm
gift-paper     | Wrapping paper       | Wrapping      | square_cm
kraft-paper    | Kraft paper          | Wrapping      | square_cm
tissue-paper   | Tissue paper         | Tissue        | each
paper-shred    | Crinkled paper shred | Filling       | each
folded-cards   | Folded cards         | Cards         | each
hanging-tags   | Hanging tags         | Tags          | each
round-stickers | Round stickers       | Decoration    | each
legal-stickers | Allergen stickers    | Legal         | each
"""

PRODUCTS = """
# slug            | material       | name               | brand      | holds  | price | supplier
ribbon-satin-red  | satin-ribbon   | Satin red, 25 mm   | Bändle     | 2500   | 9.80  | ribbon-house
ribbon-satin-gold | satin-ribbon   | Satin gold, 25 mm  | Bändle     | 2500   | 10.40 | ribbon-house
ribbon-jute       | jute-twine     | Jute, 3 mm         |            | 10000  | 6.20  | ribbon-house
wrap-stars        | gift-paper     | Stars on blue      | Papierwerk | 70000  | 8.90  | ribbon-house
wrap-kraft        | kraft-paper    | Brown kraft, 70 g  |            | 100000 | 7.10  | tin-and-box
tissue-ivory      | tissue-paper   | Ivory, acid-free   | Papierwerk | 120    | 11.50 | ribbon-house
shred-paper       | paper-shred    | Shred, natural     |            | 40     | 12.90 | tin-and-box
card-thanks       | folded-cards   | Linocut "merci"    | Zoé        | 25     | 18.75 |
card-season       | folded-cards   | Linocut "fir"      | Zoé        | 25     | 18.75 |
tag-kraft         | hanging-tags   | Kraft tag, strung  |            | 100    | 7.60  | ribbon-house
label-round       | round-stickers | Bakery seal, 40 mm | Papierwerk | 500    | 34.00 | ribbon-house
label-allergen    | legal-stickers | Without gluten     | Papierwerk | 250    | 21.50 | ribbon-house
"""

UNITS = """
# product         | name                | quantity
ribbon-satin-red  | bow, 90 cm          | 90
ribbon-satin-red  | tie, 120 cm         | 120
ribbon-satin-gold | bow, 90 cm          | 90
ribbon-satin-gold | band, 45 cm         | 45
ribbon-jute       | tie, 60 cm          | 60
wrap-stars        | sheet for a loaf    | 2400
wrap-kraft        | sheet for a loaf    | 2400
tissue-ivory      | sheet, whole        | 1
tissue-ivory      | sheet, half         | 0.5
shred-paper       | handful             | 1
card-thanks       | folded card         | 1
card-season       | folded card         | 1
tag-kraft         | hanging tag         | 1
label-round       | round sticker       | 1
label-allergen    | gluten-free sticker | 1
"""
