"""The recipe book.

A recipe's head is its slug, name, category and minutes, and its variant's base if it has one.
Below stand its ingredients (``250 g butter, soft``), the recipes inside it (``+ 0.5 caramel``)
and the units it yields (``= 24 shortbread-finger Shortbread finger``, the default one first,
or ``= 50% stollen Stollen`` for a share of the batch). A line that begins with ``>`` is a note.
"""

RECIPES = """
brown-butter-shortbread | Brown butter shortbread | cookies | 75
250 g plain-flour
60 g rice-flour
200 g butter, browned and chilled
100 g caster-sugar
0.5 tsp fleur-de-sel, on top
= 24 shortbread-finger Shortbread finger

rosemary-shortbread | Rosemary shortbread | cookies | 80 | brown-butter-shortbread
250 g plain-flour
60 g rice-flour
200 g butter
90 g caster-sugar
6 g rosemary, finely chopped
0.5 tsp sea-salt
= 24 rosemary-shortbread-finger Rosemary shortbread finger

gingersnaps | Gingersnaps | cookies | 55
280 g plain-flour
150 g butter, soft
180 g muscovado
80 g golden-syrup
1 pc eggs
1.5 tsp bicarbonate
1 tbsp ginger
1.5 tsp cinnamon
0.25 tsp cloves
0.5 tsp sea-salt
= 36 gingersnap Gingersnap

double-chocolate-cookies | Double chocolate cookies | cookies | 50
200 g plain-flour
45 g cocoa
170 g butter
150 g muscovado
80 g caster-sugar
2 pc eggs
220 g dark-couverture, chopped
1 tsp bicarbonate
0.5 tsp fleur-de-sel
= 20 double-chocolate-cookie Double chocolate cookie

peppermint-cookies | Peppermint cookies | cookies | 55 | double-chocolate-cookies
200 g plain-flour
45 g cocoa
170 g butter
220 g caster-sugar
2 pc eggs
180 g white-couverture, chopped
1 tsp bicarbonate
0.75 ml peppermint-oil
= 20 peppermint-cookie Peppermint cookie

linzer-hearts | Linzer hearts | cookies | 110
240 g plain-flour
120 g ground-almonds
180 g butter, cold
90 g icing-sugar
1 pc eggs
0.5 pc lemons, zest only
1 tsp cinnamon
+ 0.25 raspberry-jam, warmed
= 18 linzer-heart Linzer heart

vanilla-crescents | Vanilla crescents | cookies | 90
280 g plain-flour
100 g ground-almonds
210 g butter
80 g caster-sugar
60 g icing-sugar, for dusting
1 tsp vanilla-extract
= 45 vanilla-crescent Vanilla crescent

pistachio-amaretti | Pistachio amaretti | cookies | 45
180 g pistachios, ground
120 g ground-almonds
200 g caster-sugar
50 g icing-sugar, for rolling
> Age the whites overnight. No flour on the table!
2 pc eggs, whites only
= 30 pistachio-amaretto Pistachio amaretto

oat-cranberry-cookies | Oat and cranberry cookies | cookies | 45
150 g plain-flour
220 g rolled-oats
170 g butter
150 g muscovado
1 pc eggs
140 g dried-cranberries
1 tsp bicarbonate
1 tsp cinnamon
= 24 oat-cranberry-cookie Oat and cranberry cookie

lebkuchen | Lebkuchen | cookies | 120
300 g honey
120 g muscovado
350 g rye-flour
150 g hazelnuts, ground
1 pc eggs
+ 0.5 candied-orange-peel, chopped
+ 1 lemon-icing
> The dough rests in the cellar for two days, three if there is time.
2 tsp bicarbonate
1 tbsp cinnamon
1 tsp ginger
0.5 tsp cloves
0.5 tsp cardamom
= 28 lebkuchen-round Lebkuchen round

caramel-brownies | Salted caramel brownies | cakes | 65
250 g dark-couverture
220 g butter
240 g caster-sugar
4 pc eggs
110 g plain-flour
40 g cocoa
+ 0.5 salted-caramel, swirled in
= 16 caramel-brownie Salted caramel brownie

lemon-bars | Lemon bars | cakes | 70
200 g plain-flour
140 g butter
320 g caster-sugar
4 pc eggs
5 pc lemons, juice and zest
20 g cornflour
= 16 lemon-bar Lemon bar

honey-spice-loaf | Honey spice loaf | cakes | 80
320 g rye-flour
280 g honey
180 ml whole-milk
2 pc eggs
2 tsp baking-powder
2 tsp cinnamon
1 tsp ginger
0.5 tsp nutmeg
= 50% honey-spice-loaf Honey spice loaf
= 25% half-honey-spice-loaf Half a honey spice loaf

christmas-stollen | Christmas stollen | cakes | 260
500 g bread-flour
200 g butter
180 ml whole-milk
14 g dried-yeast
80 g caster-sugar
250 g raisins, in rum overnight
60 ml dark-rum
100 g ground-almonds
1 tsp cardamom
> Wrap while warm; it wants two weeks before anyone may cut it.
80 g icing-sugar, for dusting
+ 1 candied-orange-peel
= 50% stollen Stollen
= 25% half-stollen Half stollen

orange-almond-cake | Orange and almond cake | cakes | 95
> Two hours at a simmer, pips out, everything else goes in.
3 pc oranges, boiled whole
300 g ground-almonds
250 g caster-sugar
6 pc eggs
1.5 tsp baking-powder
= 100% orange-almond-cake Orange and almond cake

creme-fraiche-scones | Crème fraîche scones | cakes | 40
450 g plain-flour
200 g creme-fraiche
100 g butter, cold
60 g caster-sugar
1 pc eggs
4 tsp baking-powder
80 g raisins
= 12 creme-fraiche-scone Crème fraîche scone

jalapeno-cheddar-crackers | Jalapeño and cheddar crackers | savoury | 60
180 g plain-flour
140 g aged-cheddar, grated
110 g butter
45 g jalapeno, seeded and diced
20 g sesame
0.5 tsp smoked-paprika
1 tsp sea-salt
= 48 jalapeno-cracker Jalapeño and cheddar cracker

piloncillo-pecans | Piloncillo pecans | confectionery | 40
400 g pecans
180 g piloncillo
1 pc eggs, white only
2 tsp cinnamon
1 tsp fleur-de-sel
= 6 pecan-bag Bag of piloncillo pecans

hazelnut-truffles | Hazelnut truffles | confectionery | 90
120 g hazelnuts, chopped
40 g cocoa, for rolling
+ 1 dark-ganache, set
= 32 hazelnut-truffle Hazelnut truffle

espresso-truffles | Espresso truffles | confectionery | 90 | hazelnut-truffles
12 g espresso, finely ground
45 g cocoa, for rolling
+ 1 dark-ganache, set
= 30 espresso-truffle Espresso truffle

peppermint-bark | Peppermint bark | confectionery | 50
400 g dark-couverture
400 g white-couverture
1.5 ml peppermint-oil
= 10 peppermint-bark-shard Slab of peppermint bark

orangettes | Orangettes | confectionery | 60
180 g dark-couverture, tempered
+ 1 candied-orange-peel, dried
= 36 orangette Orangette

maple-granola | Maple granola | confectionery | 50
700 g rolled-oats
200 ml maple-syrup
150 g walnuts
120 g dried-apricots, diced
60 g sesame
1 tsp sea-salt
= 5 granola-bag Bag of maple granola

raspberry-jam | Raspberry jam | preserves | 50
> Set at 105 °C; jars at 120 °C for 15 minutes.
1000 g raspberries
700 g caster-sugar
1 pc lemons, juice
= 6 raspberry-jam-jar Jar of raspberry jam

salted-caramel | Salted caramel | basics | 35
300 g caster-sugar
220 ml double-cream
120 g butter
1.5 tsp fleur-de-sel
1 tsp vanilla-extract
= 3 caramel-jar Jar of salted caramel

dark-ganache | Dark ganache | basics | 20
300 g dark-couverture
240 ml double-cream
30 g butter

candied-orange-peel | Candied orange peel | basics | 150
4 pc oranges, peel only
300 g caster-sugar

lemon-icing | Lemon icing | basics |
150 g icing-sugar
0.5 pc lemons, juice
"""
