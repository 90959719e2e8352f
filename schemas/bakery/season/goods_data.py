"""What goes into each box, and which boxes go into each parcel.

A good's head is its slug, name, what it is packed in, and packing instructions; a package's
is its name and description. A line is a quantity and a component: a finished unit, another
good, packaging from the pantry, or wrapping (``ribbon-jute: tie, 60 cm``).
"""

GOODS = """
classic-cookie-tin | Classic cookie tin | tin | Crescents last, upright.
6 shortbread-finger
8 gingersnap
10 vanilla-crescent
1 cookie-tin
1 ribbon-satin-red: bow, 90 cm
1 label-round: round sticker

winter-spice-tin | Winter spice tin | tin | Parchment between layers.
8 lebkuchen-round
10 gingersnap
6 linzer-heart
1 cookie-tin
1 ribbon-jute: tie, 60 cm
1 tag-kraft: hanging tag

chocolate-tin | Chocolate tin | tin | Keep below 18 °C.
6 double-chocolate-cookie
4 caramel-brownie
4 peppermint-cookie
1 cookie-tin
1 ribbon-satin-gold: bow, 90 cm

truffle-box-mixed | Box of sixteen truffles | box | Alternate the two in a chequerboard.
8 hazelnut-truffle
8 espresso-truffle
1 truffle-box
1 ribbon-satin-gold: band, 45 cm
1 label-round: round sticker

orangette-bag | Bag of orangettes | bag |
9 orangette
1 cello-bag
1 ribbon-satin-gold: band, 45 cm

bark-bag | Bag of peppermint bark | bag | Weigh before closing: 150 g.
2 peppermint-bark-shard
1 cello-bag
1 tag-kraft: hanging tag

cracker-bag | Bag of jalapeño crackers | bag |
16 jalapeno-cracker
1 cello-bag
1 label-round: round sticker

amaretti-box | Box of pistachio amaretti | box | No flour near this table.
12 pistachio-amaretto
1 kraft-box
2 tissue-ivory: sheet, half
1 label-allergen: gluten-free sticker

tea-time-box | Tea-time box | box | Scones on the day itself.
4 creme-fraiche-scone
4 lemon-bar
6 rosemary-shortbread-finger
1 kraft-box
1 tissue-ivory: sheet, whole

stollen-wrapped | Stollen in paper | bag | Fold like a letter.
1 stollen
1 wrap-stars: sheet for a loaf
1 ribbon-satin-red: tie, 120 cm

spice-loaf-wrapped | Honey spice loaf in paper | bag |
1 honey-spice-loaf
1 wrap-kraft: sheet for a loaf
1 ribbon-jute: tie, 60 cm

breakfast-box | Breakfast box | box | The jar stands in the corner.
1 granola-bag
1 raspberry-jam-jar
4 oat-cranberry-cookie
1 kraft-box
1 shred-paper: handful

orange-cake-box | Orange and almond cake, boxed | box | No flour near this table.
1 orange-almond-cake
1 kraft-box
1 label-allergen: gluten-free sticker

grand-hamper | Grand hamper | basket | Tins below, bags on top.
1 classic-cookie-tin
1 truffle-box-mixed
1 stollen-wrapped
1 raspberry-jam-jar
1 pecan-bag
1 willow-basket
3 shred-paper: handful
2 ribbon-satin-red: bow, 90 cm
"""

PACKAGES = """
The Neighbour | A tin over the fence.
1 classic-cookie-tin
1 card-thanks: folded card

Winter Evening | For the long dark.
1 winter-spice-tin
1 bark-bag
1 card-season: folded card

Chocolate Lover | Nothing in it is not chocolate.
1 chocolate-tin
1 truffle-box-mixed
1 orangette-bag
1 card-season: folded card

Crème de la Crème | For tea on the day.
1 tea-time-box
1 caramel-jar
1 card-thanks: folded card

Without Gluten | Baked first thing, on a clean table.
1 amaretti-box
1 orange-cake-box
1 card-thanks: folded card

Breakfast in Bed | Best before ten.
1 breakfast-box
1 spice-loaf-wrapped
1 card-thanks: folded card

Host's Thanks | Sweet and salty.
1 cracker-bag
2 pecan-bag
1 orangette-bag
1 kraft-box
1 card-thanks: folded card

Grand Hamper | For those who get one present from everybody.
1 grand-hamper
1 bark-bag
1 card-season: folded card

Stollen by Post |
1 stollen-wrapped
1 half-honey-spice-loaf
1 kraft-box
1 card-season: folded card
"""
