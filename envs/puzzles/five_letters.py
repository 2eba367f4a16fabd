"""Common English words of five letters, picked by hand; no names, no plurals in -s, and not `solve`, a usual cheat."""

from __future__ import annotations

__all__ = ["WORDS"]

_TEXT = """
about above abuse actor adapt admit adopt adult after again agent agree ahead alarm album alert alike alive
allow alone along alter among anger angle angry apart apple apply arena argue arise armor aroma arrow aside
asset atlas attic audio audit avoid awake award aware awful bacon badge badly baker basic basin basis batch
beach beard beast begin being below bench berry birth black blade blame blank blast blaze bleak blend bless
blind blink block blood bloom blown board boast bonus boost booth bored bound brain brake brand brass brave
bread break breed brick bride brief bring brisk broad broke brook broom brown brush build built bunch burst
cabin cable camel canal candy canoe cargo carry carve catch cause cedar chain chair chalk charm chart chase
cheap check cheek cheer chess chest chick chief child chill chime choir chord chose cider civic civil claim
clash class clean clear clerk click cliff climb cling clock close cloth cloud clown coach coast cobra cocoa
coral couch cough could count court cover crack craft crane crash crawl crazy cream creek creep crest crime
crisp cross crowd crown crude cruel crumb crush crust curve cycle daily dairy daisy dance dealt debut decay
delay dense depth diary digit diner dirty ditch diver dizzy donor doubt dough dozen draft drain drama drank
dream dress dried drift drill drink drive drove drown eager eagle early earth easel eight elbow elder elect
elite empty enemy enjoy enter entry equal error essay event every exact exist extra fable faint fairy faith
false fancy fault favor feast fence ferry fever fiber field fifth fifty fight final first flame flank flash
fleet flesh float flock flood floor flour fluid flute focus force forge forty forum found frame fraud fresh
front frost fruit fully funny ghost giant given glass gleam globe gloom glory glove goose grace grade grain
grand grant grape graph grasp grass grave great green greet grief grill grind groan group grove growl grown
guard guess guest guide guilt habit happy harsh hasty hatch haven heart heavy hedge hello hence hinge hobby
honey honor horse hotel hound house human humor hurry ideal image imply index inner input irony issue ivory
jelly jewel joint joker judge juice juicy kayak knife knock known label labor large laser later laugh layer
learn lease least leave legal lemon level lever light limit linen liver local lodge logic loose lorry lover
lower loyal lucky lunar lunch magic major maker maple march marsh match maybe mayor medal media melon mercy
merge merit merry metal meter midst might minor minus mixed model moist money month moral motor mound mount
mouse mouth movie music naval nerve never newly night noble noise north novel nurse nylon oasis ocean offer
often olive onion opera orbit order organ other otter outer owner paint panel panic paper party pasta patch
pause peace peach pearl pedal penny phase phone photo piano piece pilot pinch pitch pizza place plain plane
plant plate plaza point polar porch pouch pound power press price pride prime print prior prize proof proud
prove proxy pulse punch pupil puppy purse quack queen query quest queue quick quiet quilt quite quota quote
radar radio raise rally ranch range rapid ratio raven razor reach react ready realm rebel refer reign relax
reply rider ridge rifle right rigid risky rival river roast robin robot rocky rough round route royal rugby
ruler rural salad salty sandy sauce scale scarf scene scent score scout scrap screw sense serve seven shade
shaft shake shame shape share shark sharp sheep sheet shelf shell shift shine shirt shock shore short shout
shown shrug sight silly since siren skate skill skirt skull slate sleep slice slide slope small smart smell
smile smoke snack snake sneak solar solid sorry sound south space spare spark speak spear speed spell
spend spice spike spine split spoke spoon sport spray squad stack staff stage stain stair stake stale stamp
stand stare start state steal steam steel steep steer stern stick stiff still sting stock stone stool store
storm story stove straw strip study stuff style sugar suite sunny super surge swamp swarm sweat sweep sweet
swift swing sword syrup table taste teach tease tenth thank theft their theme there thick thief thing think
third thorn those three throw thumb tiger tight timer title toast today token topic torch total touch tough
towel tower toxic trace track trade trail train trait tread treat trend trial tribe trick tried troop truck
truly trunk trust truth tulip tutor twice twist uncle under union unite unity until upper upset urban usage
usual valid value vapor vault venue verse video viola visit vital vivid vocal voice voter wagon waist waste
watch water weary weave wedge weigh whale wheat wheel where which while white whole whose widow width witch
woman world worry worse worst worth would wound wrist write wrong yacht yield young youth zebra
"""

WORDS: tuple[str, ...] = tuple(_TEXT.split())
"""In alphabetical order, each once."""
